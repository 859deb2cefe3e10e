using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Methods.Lora;
using LoraServe.Adapters.Peft;
using LoraServe.Models;
using LoraServe.Models.Forward;

namespace LoraServe.Studio.Benchmarks;

/// <summary>LoRA adapters of random weights, each the same whenever it is made.</summary>
public sealed class RandomAdapters
{
    /// <summary>So small that a trained model with such an adapter still writes text.</summary>
    public const float Faint = 0.02f;

    /// <summary>So large that adapters of a tiny model answer differently.</summary>
    public const float Strong = 0.5f;

    private const int NoiseValues = 1 << 20;

    private readonly Transformer _model;
    private readonly int _rank;
    private readonly BaseModule[] _modules;
    private readonly float[] _noise = new float[NoiseValues];

    /// <summary>Adapters whose factors lie between −<paramref name="spread"/> and <paramref name="spread"/>.</summary>
    /// <param name="model">Their base.</param>
    /// <param name="rank">Their rank.</param>
    /// <param name="targets">The modules that they change, as PEFT names them; null for q and v.</param>
    /// <param name="spread">How strong they are.</param>
    /// <exception cref="StudioException">A target is none of the model's.</exception>
    public RandomAdapters(Transformer model, int rank, IReadOnlyList<string>? targets = null, float spread = Faint)
    {
        ArgumentNullException.ThrowIfNull(model);
        (_model, _rank) = (model, rank);
        var filter = new ModuleFilter(targets ?? ["q_proj", "v_proj"]);
        if (filter.Unmatched(model.Modules.Select(module => module.Path)).FirstOrDefault() is { } unknown)
        {
            throw new StudioException($"'{unknown}' is none of the model's modules; expected some of {string.Join(", ", Names(model))}.", isMisuse: true);
        }

        _modules = [.. model.Modules.Where(module => module.Site.Layer >= 0 && filter.Targets(module))];
        var random = new Random(0);
        for (int i = 0; i < _noise.Length; i++)
        {
            _noise[i] = ((random.NextSingle() * 2) - 1) * spread;
        }
    }

    /// <summary>Brings one into the device's memory.</summary>
    public ResidentAdapter Place(int index) => _model.Place(Pairs(index), FormattableString.Invariant($"random-{index}"));

    /// <summary>Writes one as a PEFT directory.</summary>
    public void Write(string directory, int index) => PeftWriter.Write(directory, Pairs(index), _model);

    private static IEnumerable<string> Names(Transformer model) => model.Modules.Where(module => module.Site.Layer == 0).Select(module => module.Path.Split('.')[^1]);

    private LowRank[] Pairs(int index)
    {
        var random = new Random(index);
        return [.. _modules.Select(module => new LowRank(module.Site, Matrix(random, _rank, module.Inputs), Matrix(random, module.Outputs, _rank), 1))];
    }

    /// <summary>Pieces of noise and not numbers drawn one by one: a hundred adapters of a large model have billions.</summary>
    private FloatMatrix Matrix(Random random, int rows, int columns)
    {
        var matrix = new FloatMatrix(rows, columns);
        for (Span<float> rest = matrix.Values; !rest.IsEmpty;)
        {
            ReadOnlySpan<float> piece = _noise.AsSpan(random.Next(_noise.Length / 2));
            piece = piece[..Math.Min(piece.Length, rest.Length)];
            piece.CopyTo(rest);
            rest = rest[piece.Length..];
        }

        return matrix;
    }
}
