namespace LoraServe.Training.Ranks.Extraction;

/// <summary>A parameter that differs between the checkpoints and that the adapter does not hold.</summary>
/// <param name="Parameter">Its name in Hugging Face's files.</param>
/// <param name="RelativeChange">‖difference‖ / ‖base‖; infinite where the base is zero.</param>
public sealed record LostChange(string Parameter, double RelativeChange);
