using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Testing;
using LoraServe.Testing.Plain;
using LoraServe.Training.Methods;
using LoraServe.Training.Options;

namespace LoraServe.Fuzz.Seeds;

/// <summary>An adapter of each method that can be trained, as it is saved, and of LoRA in the forms that others save.</summary>
internal static class MethodSeeds
{
    /// <summary>The base that they are for.</summary>
    public static PlainModel Base { get; } = new(TinyModel.Weights(3, spec: TinyModel.DefaultSpec with
    {
        Width = 32,
        QueryHeads = 2,
        KeyValueHeads = 1,
        HeadSize = 16,
        FeedForwardWidth = 48,
        VocabularySize = 40,
    }));

    /// <summary>The adapters.</summary>
    public static IEnumerable<Seed> All() =>
    [
        .. MethodTable.Variants.Where(method => !method.MakesModel).Select(method => Save(method.Name, _ => { })),
        Save("lora", AdapterForms.ToMlx) with { Name = "mlx" },
        Save("lora", folder => AdapterForms.ToShards(folder, 3)) with { Name = "shards" },
    ];

    private static Seed Save(string method, Action<string> change)
    {
        var options = new TrainingJobOptions { Method = method, Rank = 4, VirtualTokens = 3, Seed = 5 };
        TrainableAdapter adapter = MethodCatalog.Create(options, new TrainableContext(Base) { TotalSteps = 20 });
        var random = new Random(1);
        foreach (Parameter parameter in adapter.Parameters)
        {
            for (int i = 0; i < parameter.Values.Length; i++)
            {
                parameter.Values[i] += 0.1f * (random.NextSingle() - 0.5f);
            }
        }

        using var folder = new TemporaryDirectory();
        adapter.Save(folder.Path);
        change(folder.Path);
        return (Seed.Read(folder.Path, _ => true) ?? throw new InvalidOperationException($"{method} makes files that are too large to be damaged.")) with { Name = method };
    }
}
