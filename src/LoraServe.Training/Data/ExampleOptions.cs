namespace LoraServe.Training.Data;

/// <summary>How rows become examples.</summary>
internal sealed record ExampleOptions
{
    /// <summary>Rows are cut on the right to this many tokens; of a preference, both sequences.</summary>
    public required int MaximumLength { get; init; }

    /// <summary>Whether prompts carry loss like answers.</summary>
    public bool LabelsPrompts { get; init; }

    /// <summary>What becomes of rows that are longer, or have nothing to learn.</summary>
    public LongRows LongRows { get; init; }

    /// <summary>Whether rows of which nothing to learn is left are left out instead of being an error.</summary>
    public bool SkipsUnlabelled { get; init; }
}
