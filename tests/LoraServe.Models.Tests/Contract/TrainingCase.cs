using LoraServe.Models.Backward;

namespace LoraServe.Models.Tests.Contract;

/// <summary>A batch of examples.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Lengths">Tokens of each example; no label where negative.</param>
internal sealed record TrainingCase(string Name, params int[] Lengths)
{
    public static IReadOnlyList<TrainingCase> All { get; } =
    [
        new("one labelled row", 2) { ReachesAll = false }, // a row that attends to itself alone depends on no query and no key
        new("ragged", 4, 19, 9),
        new("an example without labels", 6, -7, 3),
        new("no labels", -5) { ReachesAll = false },
        new("no examples") { ReachesAll = false },
        new("beside others", 12, 5) { HasOthers = true },
        new("layers run again", 9, 6) { CheckpointsActivations = true },
        new("smoothed", 7, 4) { Smoothing = 0.1f },
        new("factors by losses", 8, 5) { HasRule = true },
    ];

    /// <summary>Whether the base alone and another adapter are trained in the same pass.</summary>
    public bool HasOthers { get; init; }

    public bool CheckpointsActivations { get; init; }

    public float Smoothing { get; init; }

    /// <summary>Whether tokens' factors in the loss come from a rule, some of them below nothing.</summary>
    public bool HasRule { get; init; }

    /// <summary>Whether edits at every place have a derivative.</summary>
    public bool ReachesAll { get; init; } = true;

    public static TrainingCase Named(string name) => All.Single(training => training.Name == name);

    /// <summary>The examples; the first two tokens of one that is longer carry no loss.</summary>
    public TrainingExample[] Examples(int seed, int vocabulary) =>
    [
        .. Lengths.Select((length, i) =>
        {
            int[] tokens = Testing.TinyModel.Tokens(seed + i, Math.Abs(length), vocabulary);
            return new TrainingExample(tokens, [.. tokens.Select((token, t) => length < 0 || (t < 2 && length > 2) ? TrainingExample.NoLabel : token)]);
        }),
    ];

    /// <summary>The factor of a labelled token.</summary>
    public float Coefficient(int token, int count) => !HasRule ? 1f / count : token % 3 == 0 ? -0.25f : 0.5f;
}
