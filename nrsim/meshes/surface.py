"""Surfaces: Catmull–Clark subdivision, triangles, smooth normals. Plain NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp


def triangles(quads: np.ndarray) -> np.ndarray:
    """Return the two triangles of each quad, ``(2 quads, 3)``."""
    return np.ascontiguousarray(np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]))


def subdivide(n_vertices: int, quads: np.ndarray) -> tuple[sp.csr_matrix, np.ndarray]:
    """Return one level of Catmull–Clark subdivision of a quad mesh.

    The new vertices are the old ones, then one per edge, then one per face. Boundary edges stay as they are and
    boundary vertices follow the cubic B-spline rule.

    Parameters
    ----------
    n_vertices
        Vertices of the mesh.
    quads
        ``(quad, 4)`` vertex numbers.

    Returns
    -------
    scipy.sparse.csr_matrix
        S with new positions = S @ positions, ``(new vertex, vertex)``.
    numpy.ndarray
        The new quads, ``(4 quad, 4)``.
    """
    quads = np.asarray(quads, dtype=np.int64)
    n_quads = len(quads)
    ends = np.stack([quads, np.roll(quads, -1, axis=1)], axis=2)  # (quad, side, 2)
    edges, number = np.unique(np.sort(ends, axis=2).reshape(-1, 2), axis=0, return_inverse=True)
    side = number.reshape(n_quads, 4)  # edge k joins corners k and k + 1
    n_edges = len(edges)

    face_rows = sp.csr_matrix(
        (np.full(4 * n_quads, 0.25), (np.repeat(np.arange(n_quads), 4), quads.ravel())), (n_quads, n_vertices)
    )
    ones = np.ones(2 * n_edges)
    edge_ends = sp.csr_matrix((ones, (np.repeat(np.arange(n_edges), 2), edges.ravel())), (n_edges, n_vertices))
    edge_faces = sp.csr_matrix(
        (np.ones(4 * n_quads), (side.ravel(), np.repeat(np.arange(n_quads), 4))), (n_edges, n_quads)
    )
    inner = np.asarray(edge_faces.sum(axis=1)).ravel() == 2

    keep = sp.diags(np.where(inner, 0.25, 0.5))
    edge_rows = keep @ edge_ends + sp.diags(np.where(inner, 0.25, 0.0)) @ edge_faces @ face_rows

    vertex_faces = sp.csr_matrix(
        (np.ones(4 * n_quads), (quads.ravel(), np.repeat(np.arange(n_quads), 4))), (n_vertices, n_quads)
    )
    valence = np.asarray(vertex_faces.sum(axis=1)).ravel()
    vertex_edges = edge_ends.T.tocsr()
    rim = np.asarray(vertex_edges @ (~inner).astype(float)).ravel()
    inside = (rim == 0) & (valence > 0)
    squared = np.where(inside, np.maximum(valence, 1.0) ** -2, 0.0)
    neighbours = vertex_edges @ edge_ends  # counts each edge's far end once and the vertex itself valence times
    neighbours = neighbours - sp.diags(neighbours.diagonal())
    own = np.where(inside, (valence - 3) / np.maximum(valence, 1) + valence * squared * 0, 1.0)
    smooth = sp.diags(squared) @ (vertex_faces @ face_rows + neighbours)
    # an inner vertex: (n − 3)/n of itself, 1/n of the mean face point, 2/n of the mean edge midpoint
    own = own + np.where(inside, valence * squared, 0.0)
    smooth = smooth + sp.diags(own)
    rim_edges = sp.diags((~inner).astype(float)) @ edge_ends
    rim_neighbours = vertex_edges @ rim_edges
    rim_neighbours = rim_neighbours - sp.diags(rim_neighbours.diagonal())
    corner = rim == 2
    on_rim = sp.diags(np.where(corner, 0.125, 0.0)) @ rim_neighbours
    vertex_rows = smooth + on_rim - sp.diags(np.where(corner, 0.25, 0.0))

    rows = sp.vstack([vertex_rows, edge_rows, face_rows]).tocsr()
    rows.eliminate_zeros()
    edge_number, face_number = n_vertices + side, n_vertices + n_edges + np.arange(n_quads)
    new = [np.stack([quads[:, i], edge_number[:, i], face_number, edge_number[:, i - 1]], axis=1) for i in range(4)]
    return rows, np.concatenate(new)


def vertex_normals(vertices: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return unit normals ``(vertex, 3)``, the area-weighted mean of the triangles ``corners (triangle, 3)``."""
    x, y, z = np.ascontiguousarray(vertices.T)
    a, b, c = np.ascontiguousarray(corners.T)
    x0, y0, z0 = x[a], y[a], z[a]
    x1, y1, z1, x2, y2, z2 = x[b] - x0, y[b] - y0, z[b] - z0, x[c] - x0, y[c] - y0, z[c] - z0
    face = np.stack([y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2], axis=1)
    ends = np.arange(0, corners.size + 1, 3)  # column t of the matrix holds the corners of triangle t
    touches = sp.csc_matrix((np.ones(corners.size), corners.ravel(), ends), (len(vertices), len(corners)))
    normals = touches @ face
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
