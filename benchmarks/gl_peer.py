"""The peer of bench_renderer.py: the same mesh drawn by OpenGL through moderngl, without a screen."""

from __future__ import annotations

import numpy as np

_VERTEX = """
#version 330
uniform vec3 centre; uniform float half_width; uniform float distance_; uniform mat3 rotation;
in vec3 place; in vec3 normal; in vec4 paint;
out vec3 facing; out vec4 look;
void main() {
    vec3 p = (rotation * (place - centre)) / half_width;
    float w = distance_ - p.z;                          // the camera stands distance_ before the centre
    float near = distance_ - 4.0, far = distance_ + 4.0;
    float depth = (far + near) / (far - near) * w - 2.0 * far * near / (far - near);
    gl_Position = vec4(distance_ * p.x, -distance_ * p.y, depth, w);  // y down: the first row read is the top one
    facing = rotation * normal;
    look = paint;
}
"""
_FRAGMENT = """
#version 330
in vec3 facing; in vec4 look;
out float luminance;
void main() {
    vec3 n = normalize(facing);
    vec3 lights[3] = vec3[](vec3(.45, .55, .80), vec3(-.75, .10, .55), vec3(0, -.6, .5));
    float strength[3] = float[](.72, .26, .08);
    float albedo = mix(mix(look.x, .42, look.y), .12, look.z), light = .2, highlight = 0.;
    for (int i = 0; i < 3; i++) {
        vec3 towards = normalize(lights[i]);
        light += strength[i] * max(dot(n, towards), 0.);
        highlight += strength[i] * pow(max(dot(n, normalize(towards + vec3(0, 0, 1))), 0.), 25.);
    }
    luminance = mix(.5, clamp(albedo * light + .1 * highlight, 0., 1.), look.w);
}
"""
_WHOLE = "#version 330\nin vec2 at; out vec2 uv; void main() { uv = at * .5 + .5; gl_Position = vec4(at, 0, 1); }"
_AVERAGE = """
#version 330
uniform sampler2D picture;
in vec2 uv;
out float mean;
void main() { mean = texture(picture, uv).r; }
"""
_PLACED = "#version 330\nin vec3 place; void main() { gl_Position = vec4(place, 1); }"
_NUMBER = "#version 330\nout float number; void main() { number = float(gl_PrimitiveID); }"


class GL:
    """A mesh of fixed triangles in an OpenGL context of its own."""

    def __init__(self, corners: np.ndarray, n_vertices: int, paint: np.ndarray, size: int, sharpness: int) -> None:
        import moderngl

        self.context = context = moderngl.create_standalone_context(backend="egl")
        context.enable(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        context.front_face = "cw"  # y is turned over
        self.size, self.fine = size, size * sharpness
        self.indices = context.buffer(np.ascontiguousarray(corners, dtype=np.int32).tobytes())
        self.places = context.buffer(reserve=12 * n_vertices, dynamic=True)
        self.normals = context.buffer(reserve=12 * n_vertices, dynamic=True)
        self.paint = context.buffer(np.ascontiguousarray(paint, dtype=np.float32).tobytes())
        self.program = context.program(vertex_shader=_VERTEX, fragment_shader=_FRAGMENT)
        parts = [(self.places, "3f", "place"), (self.normals, "3f", "normal"), (self.paint, "4f", "paint")]
        self.mesh = context.vertex_array(self.program, parts, self.indices, index_element_size=4)
        numbering = context.program(vertex_shader=_PLACED, fragment_shader=_NUMBER)
        self.numbered = context.vertex_array(numbering, [(self.places, "3f", "place")], self.indices)
        averaging = context.program(vertex_shader=_WHOLE, fragment_shader=_AVERAGE)
        square = context.buffer(np.array([-1, -1, -1, 1, 1, -1, 1, 1], dtype=np.float32).tobytes())
        self.average = context.vertex_array(averaging, [(square, "2f", "at")])
        self.samples = context.texture((self.fine, self.fine), 1, dtype="f4")
        self.large = context.framebuffer([self.samples], context.depth_renderbuffer((self.fine, self.fine)))
        self.small = context.framebuffer([context.texture((size, size), 1, dtype="f4")])

    @property
    def renderer(self) -> str:
        """What draws, in the driver's words."""
        return f"{self.context.info['GL_RENDERER']}, OpenGL {self.context.info['GL_VERSION']}"

    def draw(
        self,
        points: np.ndarray,
        normals: np.ndarray,
        centre: np.ndarray,
        half: float,
        distance: float,
        rotation: np.ndarray,
    ) -> np.ndarray:
        """Return the picture ``(y, x)`` float32, each pixel the mean of its samples."""
        import moderngl

        self.places.write(points.astype(np.float32).tobytes())
        self.normals.write(normals.astype(np.float32).tobytes())
        self.program["centre"].value = tuple(float(v) for v in centre)
        self.program["half_width"].value = float(half)
        self.program["distance_"].value = float(distance)
        self.program["rotation"].write(np.ascontiguousarray(rotation.T, dtype=np.float32).tobytes())
        self.large.use()
        self.large.clear(0.5, depth=1.0)
        self.mesh.render(moderngl.TRIANGLES)
        self.small.use()
        self.samples.use()  # its linear filter, read in the middle of 2 × 2 samples, is their mean
        self.average.render(moderngl.TRIANGLE_STRIP)
        return np.frombuffer(self.small.read(components=1, dtype="f4"), np.float32).reshape(self.size, self.size)

    def number(self, projected: np.ndarray) -> np.ndarray:
        """Return the triangle seen at each pixel, ``(y, x)``, −1 for none; ``projected`` as for nrsim's rasterise."""
        import moderngl

        place = projected * [2 / self.fine, 2 / self.fine, -0.2] - [1, 1, 0]
        self.places.write(place.astype(np.float32).tobytes())
        self.large.use()
        self.large.clear(-1.0, depth=1.0)
        self.numbered.render(moderngl.TRIANGLES)
        seen = np.frombuffer(self.large.read(components=1, dtype="f4"), np.float32)
        return seen.astype(np.int64).reshape(self.fine, self.fine)
