namespace LoraServe.Fuzz.Runs;

/// <summary>A case that broke a rule, with those that broke it in the same place.</summary>
/// <param name="Target">The target.</param>
/// <param name="Number">The first case's number: target and number make the same files again.</param>
/// <param name="Complaint">What is wrong.</param>
/// <param name="Detail">What was thrown.</param>
internal sealed record Finding(string Target, long Number, string Complaint, string Detail)
{
    /// <summary>How many cases.</summary>
    public int Count { get; set; } = 1;

    /// <inheritdoc />
    public override string ToString() => $"{Target} {Number}: {Complaint} (in {Count} cases)\n{Detail}";
}
