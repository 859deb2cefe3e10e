namespace LoraServe.Models;

/// <summary>How far loading a model has come.</summary>
/// <param name="BytesDone">Bytes of the file's weights that are ready.</param>
/// <param name="BytesTotal">Bytes of all weights.</param>
public readonly record struct ModelLoadProgress(long BytesDone, long BytesTotal);
