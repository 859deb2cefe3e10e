using System.Numerics.Tensors;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.TinyLora;

/// <summary>TinyLoRA (arXiv:2602.04118): a few numbers that mix random matrices between the base's greatest singular vectors.</summary>
internal sealed class TrainableTinyLora : TrainableAdapter
{
    private const double UsualBound = 0.02;
    private readonly List<Mixture> _sites = [];
    private readonly bool _savesProjections;

    /// <summary>Numbers of zero, or within a bound where the configuration's init_weights says <c>uniform</c>.</summary>
    public TrainableTinyLora(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        TinyLoraConfig tiny = TinyLoraConfig.Read(fields);
        _savesProjections = tiny.SavesProjections;
        bool isDrawn = fields.Find("init_weights") is { ValueKind: JsonValueKind.String or JsonValueKind.False };
        float bound = isDrawn ? (float)(fields.Number("init_v_bound") ?? UsualBound) : 0;
        IReadOnlyDictionary<string, (int Place, int Group)> groups = tiny.Groups(model);
        var numbers = new Dictionary<int, Parameter>();
        foreach (BaseModule module in TargetedModules.Of(tiny.Modules, model))
        {
            (int place, int group) = groups[module.Path];
            if (!numbers.TryGetValue(group, out Parameter? own))
            {
                float[] first = Initialization.Uniform(tiny.Length, bound, unchecked(options.Seed + group));
                numbers[group] = own = Add($"{TinyLoraReader.NumbersPrefix}{group}", [tiny.Length], first);
            }

            int rank = tiny.Rank(module);
            (FloatMatrix right, FloatMatrix left) = Principal(TruncatedSvd.Of(model.Weight(module), rank));
            _sites.Add(new Mixture(module, own) { A = right, B = left, Projections = tiny.Projections(rank, place) });
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits() => [.. _sites.Select(site =>
        new LowRank(site.Module.Site, site.A, DenseProduct.Of(site.B, TinyLoraReader.Mixed(site.Numbers.Values, site.Projections, site.Rank)), 1))];

    public override void Pull(EditGradients gradients)
    {
        foreach (Mixture site in _sites)
        {
            var byMixed = new FloatMatrix(site.Rank, site.Rank);
            DenseProduct.RunTransposed(site.B, gradients.At(site.Module.Site)!.B!.Matrix(), byMixed);
            for (int i = 0; i < site.Numbers.Gradient.Length; i++)
            {
                site.Numbers.Gradient[i] += TensorPrimitives.Dot<float>(site.Projections.AsSpan(i * byMixed.Values.Length, byMixed.Values.Length), byMixed.Values);
            }
        }
    }

    internal override IEnumerable<Parameter> Saved() => [.. Parameters, .. _sites.SelectMany(site => site.Frozen(_savesProjections))];

    /// <summary>Takes over the frozen matrices too: signs of singular vectors are the file's.</summary>
    private protected override void Load(ConfigFields source, AdapterTensors tensors)
    {
        base.Load(source, tensors);
        foreach (Mixture site in _sites)
        {
            foreach (Parameter frozen in site.Frozen(withProjections: true).Where(frozen => frozen.Name != site.ProjectionsName || tensors.Has(frozen.Name)))
            {
                tensors.Values(frozen.Name, "what is trained goes between these", [.. frozen.Shape.Select(length => (long)length)]).CopyTo(frozen.Values, 0);
            }
        }
    }

    /// <summary>√S·Vᵀ and U·√S.</summary>
    private static (FloatMatrix Right, FloatMatrix Left) Principal(TruncatedSvd svd)
    {
        float[] roots = [.. svd.Values.Select(value => (float)Math.Sqrt(value))];
        FloatMatrix left = svd.ScaledLeft;
        for (int i = 0; i < left.Values.Length; i++)
        {
            float root = roots[i % left.Columns];
            left.Values[i] = root > 0 ? left.Values[i] / root : 0;
        }

        return (svd.Right.WithScaledRows(roots), left);
    }

    /// <summary>What is trained at one linear map, and what is not.</summary>
    private sealed class Mixture(BaseModule module, Parameter numbers)
    {
        public BaseModule Module => module;

        /// <summary>v, which other modules may share.</summary>
        public Parameter Numbers => numbers;

        /// <summary>[rank, inputs].</summary>
        public required FloatMatrix A { get; init; }

        /// <summary>[outputs, rank].</summary>
        public required FloatMatrix B { get; init; }

        /// <summary>[numbers, rank, rank].</summary>
        public required float[] Projections { get; init; }

        public int Rank => A.Rows;

        public string ProjectionsName => $"{AdapterFiles.PeftPrefix}{module.Path}.tinylora_P";

        /// <summary>The frozen matrices as they are saved, over the same values.</summary>
        public IEnumerable<Parameter> Frozen(bool withProjections)
        {
            yield return new Parameter($"{AdapterFiles.PeftPrefix}{module.Path}.tinylora_A", [A.Rows, A.Columns], A.Values);
            yield return new Parameter($"{AdapterFiles.PeftPrefix}{module.Path}.tinylora_B", [B.Rows, B.Columns], B.Values);
            if (withProjections)
            {
                yield return new Parameter(ProjectionsName, [numbers.Shape[0], Rank, Rank], Projections);
            }
        }
    }
}
