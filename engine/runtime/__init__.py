"""Running an exported graph: ``open_session`` and the ``Session`` it gives. Each backend's library is imported by one module.

Backends: openvino (fastest on x86 CPUs), onnxruntime (everywhere), torch (what the trainer has; CUDA where there is one).
"""

from engine.runtime.sessions import BACKENDS, Check, Session, available_threads, open_session

__all__ = ["BACKENDS", "Check", "Session", "available_threads", "open_session"]
