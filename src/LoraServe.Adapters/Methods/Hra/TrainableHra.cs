using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Hra;

/// <summary>HRA (Yuan et al. 2024, arXiv:2405.17484): inputs go through a few reflections, each along a vector that is trained.</summary>
internal sealed class TrainableHra : TrainableAdapter
{
    private readonly HraConfig _hra;
    private readonly List<(BaseModule Module, Parameter Vectors)> _sites = [];
    private HouseholderProduct[] _reflections = [];

    /// <summary>Pairs of equal random vectors, whose reflections cancel out; for an odd number of them, random ones as PEFT has it.</summary>
    public TrainableHra(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        _hra = HraConfig.Read(fields);
        bool pairs = fields.Flag("init_weights", true) && _hra.Rank % 2 == 0;
        foreach (BaseModule module in TargetedModules.Of(_hra.Modules, model))
        {
            float[] vectors = FirstVectors(module.Inputs, _hra.Rank, pairs, unchecked(options.Seed + _sites.Count));
            _sites.Add((module, Add($"{AdapterFiles.PeftPrefix}{module.Path}.hra_u", [module.Inputs, _hra.Rank], vectors)));
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits()
    {
        _reflections = [.. _sites.Select(site => new HouseholderProduct(site.Vectors.Matrix(), _hra.Orthogonalises))];
        var edits = new AdapterEdit[_sites.Count];
        Parallel.For(0, edits.Length, i => edits[i] = HraReader.Edit(Model, _sites[i].Module, _reflections[i]));
        return edits;
    }

    public override void Pull(EditGradients gradients) => Parallel.For(0, _sites.Count, i =>
    {
        (BaseModule module, Parameter vectors) = _sites[i];
        LinearEditGradient site = gradients.At(module.Site)!;
        FloatMatrix byColumns = _reflections[i].Back(site.A!.Matrix(), Model.MultiplyFromLeft(module, site.B!.Matrix().Transposed()));
        TensorPrimitives.Add(vectors.Gradient, byColumns.Values, vectors.Gradient);
    });

    private static float[] FirstVectors(int inputs, int rank, bool pairs, int seed)
    {
        int drawn = pairs ? rank / 2 : rank;
        float[] values = Initialization.KaimingUniform(inputs, drawn, seed);
        return pairs ? [.. Enumerable.Range(0, inputs * rank).Select(i => values[(i / rank * drawn) + (i % rank / 2)])] : values;
    }
}
