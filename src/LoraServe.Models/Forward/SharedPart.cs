namespace LoraServe.Models.Forward;

/// <summary>Memory that resident adapters have in common: there once, as long as one of them is resident.</summary>
/// <param name="Key">What equal parts have in common.</param>
/// <param name="Bytes">Its size.</param>
public readonly record struct SharedPart(string Key, long Bytes);
