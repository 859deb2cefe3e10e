using System.Text.Json.Nodes;
using LoraServe.Adapters;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Peft;
using LoraServe.Training.Autograd;

namespace LoraServe.Training.Methods;

/// <summary>LoRA (Hu et al. 2021, arXiv:2106.09685) and what PEFT keeps in the same format: rsLoRA's scale, biases, token tables.</summary>
internal class TrainableLora : TrainableAdapter
{
    private readonly List<Pair> _pairs = [];
    private readonly List<(BaseModule Module, Parameter Bias)> _biases = [];

    /// <summary>Parameters of the configuration's shape: A drawn, B zero, so that the model is the base.</summary>
    public TrainableLora(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        LoraConfig = LoraConfig.Read(PeftConfig.Fields(config));
        foreach (BaseModule module in model.Modules)
        {
            bool isTargeted = LoraConfig.Targets.Targets(module);
            if (isTargeted)
            {
                _pairs.Add(AddPair(module, options.Seed + _pairs.Count, options.RateRatioOfB));
            }

            if (module.HasBias && (LoraConfig.Bias == "all" || (LoraConfig.Bias == "lora_only" && isTargeted)))
            {
                string name = isTargeted ? $"{module.Path}.base_layer.bias" : $"{module.Path}.bias";
                float[] bias = new float[module.Outputs];
                model.CopyBias(module.Site, bias);
                _biases.Add((module, Add(AdapterFiles.PeftPrefix + name, [module.Outputs], bias)));
            }
        }
    }

    private protected LoraConfig LoraConfig { get; }

    private protected IReadOnlyList<Pair> Pairs => _pairs;

    public override IReadOnlyList<AdapterEdit> Edits()
    {
        var edits = new List<AdapterEdit>();
        foreach (Pair pair in _pairs)
        {
            edits.Add(pair.Edit);
            if (pair.Bias is not null)
            {
                edits.Add(new BiasDelta(pair.Module.Site, Array.ConvertAll(pair.Bias.Values, value => value * pair.Edit.Scale)));
            }
        }

        foreach ((BaseModule module, Parameter bias) in _biases)
        {
            edits.Add(new BiasDelta(module.Site, LessBase(bias.Values, module)));
        }

        return edits;
    }

    internal override void Pull(EditGradients gradients)
    {
        foreach (Pair pair in _pairs)
        {
            if (gradients.At(pair.Module.Site) is { } site)
            {
                Accumulate(pair.A, site.A);
                Accumulate(pair.B, site.B);
                Accumulate(pair.Bias, site.Bias, pair.Edit.Scale);
            }
        }

        foreach ((BaseModule module, Parameter bias) in _biases)
        {
            Accumulate(bias, gradients.At(module.Site)?.Bias);
        }
    }

    private Pair AddPair(BaseModule module, int seed, float rateRatioOfB)
    {
        int rank = LoraConfig.Rank(module.Path);
        string path = AdapterFiles.PeftPrefix + module.Path;
        bool isTable = module.Site == Site.Embedding;
        (int outputs, int inputs) = isTable ? (module.Inputs, module.Outputs) : (module.Outputs, module.Inputs);
        float[] a = isTable ? new float[rank * inputs] : Initialization.KaimingUniform(rank, inputs, seed);
        float[] b = isTable ? Initialization.Normal(outputs * rank, 1, seed) : new float[outputs * rank];
        return new Pair(
            module,
            Add(path + (isTable ? ".lora_embedding_A" : ".lora_A.weight"), [rank, inputs], a),
            Add(path + (isTable ? ".lora_embedding_B" : ".lora_B.weight"), [outputs, rank], b, rateRatioOfB),
            LoraConfig.HasLoraBias && !isTable ? Add($"{path}.lora_B.bias", [outputs]) : null,
            LoraConfig.Scale(module.Path));
    }

    private float[] LessBase(float[] bias, BaseModule module)
    {
        float[] delta = new float[bias.Length];
        Model.CopyBias(module.Site, delta);
        System.Numerics.Tensors.TensorPrimitives.Subtract(bias, delta, delta);
        return delta;
    }

    private protected sealed class Pair(BaseModule module, Parameter a, Parameter b, Parameter? bias, float scale)
    {
        public BaseModule Module { get; } = module;

        public Parameter A { get; } = a;

        public Parameter B { get; } = b;

        public Parameter? Bias { get; } = bias;

        // The matrices are the parameters' own arrays, so the edit follows every step.
        public LowRank Edit { get; } = new(
            module.Site,
            new FloatMatrix(a.Shape[0], a.Shape[1], a.Values),
            new FloatMatrix(b.Shape[0], b.Shape[1], b.Values),
            scale);
    }
}
