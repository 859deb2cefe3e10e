namespace LoraServe.Training.Data;

/// <summary>A place in the endless sequence of batches; with the same data and options it names the same batch again.</summary>
/// <param name="Epoch">Times that all rows have been gone over.</param>
/// <param name="Position">Rows of the epoch that went into earlier groups of batches.</param>
/// <param name="Batch">Batches of the group that came before.</param>
internal readonly record struct BatchCursor(int Epoch, int Position, int Batch);
