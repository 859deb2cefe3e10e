using LoraServe.Fuzz.Seeds;
using LoraServe.Testing;
using LoraServe.Testing.Plain;

namespace LoraServe.Fuzz.Targets;

/// <summary>Every reader.</summary>
internal static class FuzzTargets
{
    /// <summary>All, in the order in which they run.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new SafetensorsTarget(),
        new GgufTarget(),
        new GgufModelTarget(),
        new GgufAdapterTarget(),
        new GgufTokenizerTarget(),
        new TokenizerTarget(),
        new PatternTarget(),
        new TemplateTarget(),
        new ToolCallTarget(),
        new GrammarTarget(),
        new ModelTarget(),
        new PackedModelTarget(),
        new AdapterTarget("adapter", () => MethodSeeds.Base, () => MethodSeeds.All()),
        new AdapterTarget("adapter-forms", () => AdapterBuilder.TinyBase, FormSeeds.All),
        .. from name in SharedFiles.FolderNames("fixtures/peft/bases")
           let folder = SharedFiles.TryGet($"fixtures/peft/{name}")
           where folder is not null
           select new AdapterTarget($"adapter-{name}", () => PlainModel.Open(SharedFiles.TryGet($"fixtures/peft/bases/{name}")!), () => AdapterTarget.SeedsIn(folder)),
        new RowsTarget(),
        new ImportanceTarget(),
        new JobTarget(),
        new RunTarget(),
        new CheckpointTarget(),
        new NamesTarget(),
    ];

    /// <summary>The target of a name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static FuzzTarget Find(string name) => All.FirstOrDefault(target => target.Name == name)
        ?? throw new ArgumentException($"'{name}' is no target; expected one of {string.Join(", ", All.Select(target => target.Name))}.");
}
