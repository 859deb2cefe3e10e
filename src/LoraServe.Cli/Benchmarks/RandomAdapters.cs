using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Peft;
using LoraServe.Adapters.Resident;
using LoraServe.Models;

namespace LoraServe.Cli.Benchmarks;

/// <summary>Adapters of random weights at q and v, as PEFT directories in a temporary folder that goes with this object.</summary>
internal sealed class RandomAdapters : IDisposable
{
    /// <summary>Small, so that a model with such an adapter still writes text.</summary>
    private const float Spread = 0.02f;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("loraserve-");
    private readonly Transformer _model;

    /// <summary>Writes adapters.</summary>
    public RandomAdapters(Transformer model, int count, int rank)
    {
        _model = model;
        Directories = [.. Enumerable.Range(0, count).Select(index => Write(index, rank))];
    }

    /// <summary>Their directories.</summary>
    public IReadOnlyList<string> Directories { get; }

    /// <summary>Loads one into compute form.</summary>
    public ResidentAdapter Load(int index) => ResidentAdapter.Create(AdapterLoader.Load(Directories[index], _model), _model);

    public void Dispose() => _folder.Delete(recursive: true);

    private string Write(int index, int rank)
    {
        var random = new Random(index);
        LowRank[] pairs =
        [
            .. _model.Modules.Where(module => module.Site.Role is SiteRole.Query or SiteRole.Value)
                .Select(module => new LowRank(module.Site, Matrix(random, rank, module.Inputs), Matrix(random, module.Outputs, rank), 1)),
        ];
        string directory = Path.Combine(_folder.FullName, FormattableString.Invariant($"random-{index}"));
        PeftWriter.Write(directory, pairs, _model);
        return directory;
    }

    private static FloatMatrix Matrix(Random random, int rows, int columns)
    {
        var matrix = new FloatMatrix(rows, columns);
        for (int i = 0; i < matrix.Values.Length; i++)
        {
            matrix.Values[i] = ((random.NextSingle() * 2) - 1) * Spread;
        }

        return matrix;
    }
}
