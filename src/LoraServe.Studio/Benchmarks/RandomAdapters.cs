using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Loading;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Models;
using LoraServe.Models.Forward;

namespace LoraServe.Studio.Benchmarks;

/// <summary>Adapters of random weights at q and v, as PEFT directories in a temporary folder that goes with this object.</summary>
public sealed class RandomAdapters : IDisposable
{
    /// <summary>So small that a trained model with such an adapter still writes text.</summary>
    public const float Faint = 0.02f;

    /// <summary>So large that adapters of a tiny model answer differently.</summary>
    public const float Strong = 0.5f;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("loraserve-");
    private readonly Transformer _model;
    private readonly float _spread;

    /// <summary>Writes adapters whose factors lie between −<paramref name="spread"/> and <paramref name="spread"/>.</summary>
    public RandomAdapters(Transformer model, int count, int rank, float spread = Faint)
    {
        _model = model;
        _spread = spread;
        Directories = [.. Enumerable.Range(0, count).Select(index => Write(index, rank))];
    }

    /// <summary>Their directories.</summary>
    public IReadOnlyList<string> Directories { get; }

    /// <summary>Loads one into compute form.</summary>
    public ResidentAdapter Load(int index) => _model.Place(AdapterLoader.Load(Directories[index], _model));

    /// <inheritdoc />
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

    private FloatMatrix Matrix(Random random, int rows, int columns)
    {
        var matrix = new FloatMatrix(rows, columns);
        for (int i = 0; i < matrix.Values.Length; i++)
        {
            matrix.Values[i] = ((random.NextSingle() * 2) - 1) * _spread;
        }

        return matrix;
    }
}
