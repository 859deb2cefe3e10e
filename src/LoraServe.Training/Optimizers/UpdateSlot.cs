namespace LoraServe.Training.Optimizers;

/// <summary>An array that a rule remembers of a parameter.</summary>
/// <param name="Name">Unique within the parameter.</param>
/// <param name="Length">Elements.</param>
internal readonly record struct UpdateSlot(string Name, int Length);
