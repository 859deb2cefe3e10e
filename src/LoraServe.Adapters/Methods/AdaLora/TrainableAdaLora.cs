using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.AdaLora;

/// <summary>AdaLoRA (Zhang et al. 2023, arXiv:2303.10512): W + scale·B·diag(E)·A; the ranks that matter least over all modules are taken away step by step.</summary>
/// <remarks>As PEFT does it: a rank's E is set to zero, and between two cuts the optimizer may let it grow again.</remarks>
internal sealed class TrainableAdaLora : TrainableAdapter
{
    private const float Deviation = 0.02f;
    private const double UsualSmoothing = 0.85;
    private readonly List<AdaptivePair> _pairs = [];
    private readonly RankBudget _budget;
    private readonly double _orthogonalityWeight;
    private readonly float[] _patternIsFixed = new float[1];
    private bool _isFinished;

    /// <summary>Pairs of the configuration's first rank, E zero.</summary>
    public TrainableAdaLora(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        AdaLoraConfig adaLora = AdaLoraConfig.Read(fields);
        if (fields.Entries("rank_pattern").Count > 0)
        {
            throw new AdapterFormatException("rank_pattern is set: ranks have been taken away from this adapter, and it cannot be trained on. Begin with a new one.");
        }

        float beta1 = (float)(fields.Number("beta1") ?? UsualSmoothing);
        float beta2 = (float)(fields.Number("beta2") ?? UsualSmoothing);
        _orthogonalityWeight = fields.Number("orth_reg_weight") ?? 0.5;
        int rank = adaLora.InitialRank;
        foreach (BaseModule module in model.Modules.Where(adaLora.Modules.Targets.Targets))
        {
            string path = AdapterFiles.PeftPrefix + module.Path;
            int seed = options.Seed + (2 * _pairs.Count);
            _pairs.Add(new AdaptivePair(
                module,
                Add($"{path}.lora_A", [rank, module.Inputs], Initialization.Normal(checked(rank * module.Inputs), Deviation, seed)),
                Add($"{path}.lora_B", [module.Outputs, rank], Initialization.Normal(checked(rank * module.Outputs), Deviation, seed + 1)),
                Add($"{path}.lora_E", [rank, 1]),
                adaLora.Scale,
                beta1,
                beta2));
        }

        if (_pairs.Count == 0)
        {
            throw new AdapterFormatException($"target_modules is {adaLora.Modules.Targets.Describe()}, which the base has not.");
        }

        _budget = new RankBudget(fields, rank * _pairs.Count, _pairs.Count);
    }

    /// <summary>Ranks of each module that do something.</summary>
    internal IEnumerable<int> Ranks => _pairs.Select(pair => pair.Edit().A).Select(a => Enumerable.Range(0, a.Rows).Count(k => a.Row(k).ContainsAnyExcept(0f)));

    /// <summary>How many ranks are kept when.</summary>
    internal RankBudget Budget => _budget;

    /// <summary>From the last cut on only the ranks that are kept are saved, and the configuration says which those are; unless somebody has put earlier values back.</summary>
    private bool IsPruned => _patternIsFixed[0] != 0 && _pairs.TrueForAll(pair => pair.IsMasked);

    public override IReadOnlyDictionary<string, float[]> State =>
        new Dictionary<string, float[]>(_pairs.SelectMany(pair => pair.State)) { ["patternIsFixed"] = _patternIsFixed };

    public override IReadOnlyList<AdapterEdit> Edits() =>
        [.. _pairs.Select(pair => _isFinished && IsPruned ? pair.KeptEdit() : pair.Edit()).Where(pair => pair.Rank > 0)];

    public override void Pull(EditGradients gradients)
    {
        foreach (AdaptivePair pair in _pairs)
        {
            pair.Pull(gradients.At(pair.Module.Site)!);
        }
    }

    public override double Regularize()
    {
        double factor = _orthogonalityWeight / (2 * _pairs.Count);
        return factor * _pairs.Sum(pair => pair.Orthogonality(factor));
    }

    public override void AfterStep(int number)
    {
        if (number < _budget.LastStep)
        {
            _pairs.ForEach(pair => pair.UpdateScores());
        }

        if (_budget.TakesAt(number))
        {
            TakeLeast(_budget.InitialRanks - _budget.At(number));
            _pairs.ForEach(pair => pair.Mask());
        }
        else if (number > _budget.LastStep)
        {
            _pairs.ForEach(pair => pair.Mask());
        }

        _patternIsFixed[0] = number >= _budget.LastStep ? 1 : 0;
    }

    /// <summary>While it is trained, ranks that have been taken away take part as zeros; in the files they are missing.</summary>
    public override void Finish() => _isFinished = true;

    internal override IEnumerable<Parameter> Saved() => IsPruned ? _pairs.SelectMany(pair => pair.Saved()) : Parameters;

    public override void Save(string directory)
    {
        Config["rank_pattern"] = IsPruned
            ? new JsonObject(_pairs.Select(pair => KeyValuePair.Create(
                pair.DiagonalName[AdapterFiles.PeftPrefix.Length..], (JsonNode?)new JsonArray([.. pair.Kept.Select(kept => (JsonNode)(kept != 0))]))))
            : null;
        base.Save(directory);
    }

    /// <summary>Chooses the ranks that matter least of all modules' together.</summary>
    private void TakeLeast(int count)
    {
        float[][] scores = [.. _pairs.Select(pair => pair.RankScores())];
        float threshold = count == 0 ? float.NegativeInfinity : scores.SelectMany(score => score).Order().ElementAt(count - 1);
        for (int i = 0; i < _pairs.Count; i++)
        {
            for (int k = 0; k < scores[i].Length; k++)
            {
                _pairs[i].Kept[k] = scores[i][k] > threshold ? 1 : 0;
            }
        }
    }
}
