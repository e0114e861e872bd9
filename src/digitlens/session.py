"""ONNX Runtime's session of a model file, as all of digitlens opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from digitlens.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path


def open_session(name: str | Path, content: bytes) -> Any:
    """Open a session of one thread on the processor.

    Parameters
    ----------
    name
        What messages call the file.
    content
        Its bytes.

    Raises
    ------
    ModelError
        The bytes are no ONNX file that the engine takes.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread a call, and as many calls at once as there are cores: engines with several
    # threads each starve one another, and one digit is not worth a second thread.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its errors share no other base
        raise ModelError(
            f"{name} must be an ONNX file that digitlens wrote",
            seen=f"ONNX Runtime: {str(error).splitlines()[0][:200]}",
            likely="the file is damaged, or of another kind"
            if content
            else "the file is empty",
            try_="digitlens export RUN --to onnx writes it again",
        ) from error
