"""nrsim: norm-referenced face neurons, from graded face morphs to spikes, held against recordings.

The public names stand, in the order of the pipeline, in ``__init__.pyi``; each is imported when first used.
"""

import lazy_loader

from nrsim._version import __version__ as __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
