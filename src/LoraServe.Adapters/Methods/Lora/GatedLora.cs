using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Description;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>LoRA whose rank-one terms have gates that a penalty closes unless they pay (SoRA, Ding et al. 2023, arXiv:2311.11696; hard concrete: arXiv:1712.01312).</summary>
/// <remarks>At the end closed terms are left out and open gates go into A: what is saved is plain LoRA with a rank for each module.</remarks>
internal sealed class GatedLora : TrainableAdapter
{
    private readonly TrainableOptions _options;
    private readonly TrainableLora _lora;
    private readonly RankGates<float> _gates;
    private readonly List<GatedPair> _pairs = [];
    private readonly bool _isRankStabilized;

    // The number of the step that comes, for the noise; a float, as checkpoints keep nothing else.
    private readonly float[] _step = new float[1];
    private TrainableLora? _pruned;

    /// <summary>Pairs of the configuration's shape, all gates open; the model is the base until they are changed.</summary>
    public GatedLora(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        _options = options;
        _lora = new TrainableLora(config, model, options);
        _gates = new RankGates<float>(options.Gates.Penalty, (float)options.Gates.Strength);
        _isRankStabilized = PeftConfig.Fields(config).Flag("use_rslora", false);
        if (_lora.Pairs.Count == 0 || _lora.Parameters.Count != 2 * _lora.Pairs.Count || _lora.Pairs.Any(entry => entry.Pair.Residual is not null))
        {
            throw new AdapterFormatException("gates go with plain pairs at linear maps; leave out DoRA, PiSSA, OLoRA, biases, saved modules and the token table.");
        }

        foreach (Parameter parameter in _lora.Parameters)
        {
            Add(parameter);
        }

        foreach ((BaseModule module, TrainablePair pair) in _lora.Pairs)
        {
            int rank = pair.A.Shape[0];
            float[] open = new float[rank];
            Array.Fill(open, _gates.Start);
            Parameter gate = Add($"{AdapterFiles.PeftPrefix}{module.Path}.lora_gate", [rank], open, (float)options.Gates.RateRatio, decays: false);
            _pairs.Add(new GatedPair(_gates, module, pair, gate, ((ulong)(uint)options.Seed << 32) + (uint)_pairs.Count));
        }
    }

    public override IReadOnlyDictionary<string, float[]> State => new Dictionary<string, float[]> { ["gates.step"] = _step };

    private ulong NextStep => (ulong)_step[0];

    public override IReadOnlyList<AdapterEdit> Edits() => _pruned?.Edits() ?? [.. _pairs.Select(pair => pair.Edit(NextStep))];

    public override IReadOnlyList<AdapterEdit>? EditsAtRest() =>
        _pruned is not null || _options.Gates.Penalty == GatePenalty.L1 ? null : [.. _pairs.Select(pair => pair.EditAtRest())];

    public override void Pull(EditGradients gradients)
    {
        foreach (GatedPair pair in _pairs)
        {
            pair.Pull(gradients.At(pair.Module.Site)!, NextStep);
        }
    }

    public override double Regularize() => _pairs.Sum(pair => (double)_gates.AddPenalty(pair.Gate.Values, pair.Gate.Gradient));

    /// <summary>Gates of the lasso end at 0: an optimizer with momentum would carry them past it, and a negative gate is that of the negated term.</summary>
    public override void AfterStep(int number)
    {
        _step[0] = number + 1;
        foreach (GatedPair pair in _options.Gates.Penalty == GatePenalty.L1 ? _pairs : [])
        {
            TensorPrimitives.Max(pair.Gate.Values, 0f, pair.Gate.Values);
        }
    }

    /// <summary>Prunes; where every gate is closed, the module with the widest keeps that term, since a file without any is none.</summary>
    public override void Finish()
    {
        LowRank?[] kept = [.. _pairs.Select(pair => pair.Pruned(_options.Gates.PrunedBelow))];
        if (Array.TrueForAll(kept, pair => pair is null))
        {
            float[] widest = [.. _pairs.Select(pair => pair.AtRest().Max(MathF.Abs))];
            int last = Array.IndexOf(widest, widest.Max());
            kept[last] = _pairs[last].Pruned(MathF.BitDecrement(widest[last]));
        }

        (JsonObject ranks, JsonObject alphas) = (new JsonObject(), new JsonObject());
        foreach ((GatedPair pair, LowRank open) in Open(kept))
        {
            ranks[pair.Module.Path] = open.Rank;
            alphas[pair.Module.Path] = open.Scale * (_isRankStabilized ? Math.Sqrt(open.Rank) : open.Rank);
        }

        Config["target_modules"] = VariantSettings.List(ranks.Select(entry => entry.Key));
        (Config["rank_pattern"], Config["alpha_pattern"]) = (ranks, alphas);
        _pruned = new TrainableLora(Config, Model, _options);
        foreach (((_, LowRank open), (_, TrainablePair place)) in Open(kept).Zip(_pruned.Pairs))
        {
            open.A.Values.CopyTo(place.A.Values, 0);
            open.B.Values.CopyTo(place.B.Values, 0);
        }
    }

    internal override IEnumerable<Parameter> Saved() => _pruned?.Saved()
        ?? _pairs.SelectMany(pair => new[] { new Parameter(pair.Pair.A.Name, [.. pair.Pair.A.Shape], pair.EditAtRest().A.Values), pair.Pair.B });

    /// <inheritdoc />
    public override void Load(string directory) => _lora.Load(directory);

    private IEnumerable<(GatedPair Pair, LowRank Open)> Open(LowRank?[] kept) =>
        _pairs.Zip(kept).Where(entry => entry.Second is not null).Select(entry => (entry.First, entry.Second!));
}
