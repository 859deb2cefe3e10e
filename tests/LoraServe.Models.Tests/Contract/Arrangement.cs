namespace LoraServe.Models.Tests.Contract;

/// <summary>A batch of whole prompts: which adapters act on which segment. Adapters 0 and 1 are of the kind under test, 2 has low-rank pairs, scales, biases and norms.</summary>
internal sealed record Arrangement(string Name, params Arrangement.Prompt[] Prompts)
{
    public const int AdapterCount = 3;

    private const int Other = 2;

    public static IReadOnlyList<Arrangement> All { get; } =
    [
        new("one row", new Prompt(1, new Use(0))),
        new("no rows", new Prompt(6, new Use(0, ActiveFrom: 1000)), new Prompt(3)),
        new("two segments apart", new Prompt(5, new Use(0)), new Prompt(1), new Prompt(18, new Use(0))),
        new("two adapters", new Prompt(7, new Use(0)), new Prompt(4, new Use(1)), new Prompt(2)),
        new("two weights", new Prompt(4, new Use(0)), new Prompt(3, new Use(0, 0.5f)), new Prompt(3, new Use(0, 1.25f))),
        new("weight of nothing", new Prompt(6, new Use(0, 0)), new Prompt(2, new Use(0, 0))),
        new("weight below nothing", new Prompt(6, new Use(0, -0.5f))),
        new("from a position on", new Prompt(9, new Use(0, ActiveFrom: 4)), new Prompt(3, new Use(0, 1, ActiveFrom: 2))),
        new("stack of a kind", new Prompt(5, new Use(0), new Use(1, 0.7f)), new Prompt(3, new Use(1, -0.3f), new Use(0)), new Prompt(2, new Use(1))),
        new("stack of kinds", new Prompt(6, new Use(0, 0.8f), new Use(Other)), new Prompt(4, new Use(Other, 0.6f), new Use(0))),
        new("stack from positions on", new Prompt(9, new Use(Other, 1, ActiveFrom: 2), new Use(0, 0.9f, ActiveFrom: 5), new Use(1, 1, ActiveFrom: 3))),
    ];

    /// <summary>All of them in one batch.</summary>
    public static Arrangement Together { get; } = new("all of them at once", [.. All.SelectMany(arrangement => arrangement.Prompts)]);

    public static Arrangement Named(string name) => All.Single(arrangement => arrangement.Name == name);

    internal sealed record Prompt(int Count, params Use[] Stack);

    internal sealed record Use(int Adapter, float Weight = 1, int ActiveFrom = 0);
}
