using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Vera;

/// <summary>VeRA (Kopiczko et al. 2024, arXiv:2310.11454): two vectors a module scale the ranks and the outputs of random projections that all modules share.</summary>
internal sealed class TrainableVera : TrainableAdapter
{
    private const string ProjectionA = "base_model.vera_A";
    private const string ProjectionB = "base_model.vera_B";
    private const float FirstRankScale = 0.1f;
    private readonly List<(BaseModule Module, Parameter RankScale, Parameter ProductScale)> _sites = [];
    private readonly bool _savesProjections;
    private SharedMatrix _a;
    private SharedMatrix _b;

    /// <summary>Projections drawn from the configuration's seed, as PEFT draws them; outputs' scales of zero.</summary>
    public TrainableVera(JsonObject config, IBaseModel model)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        VeraConfig vera = VeraConfig.Read(fields);
        float first = (float)(fields.Number("d_initial") ?? FirstRankScale);
        _savesProjections = fields.Flag("save_projection", true);
        BaseModule[] modules = [.. model.Modules.Where(vera.Modules.Targets.Targets)];
        if (modules.Length == 0)
        {
            throw new AdapterFormatException($"target_modules is {vera.Modules.Targets.Describe()}, which the base has not.");
        }

        (_a, _b) = VeraReader.Projections(vera, modules.Max(module => module.Inputs), modules.Max(module => module.Outputs));
        foreach (BaseModule module in modules)
        {
            string path = AdapterFiles.PeftPrefix + module.Path;
            float[] scales = new float[vera.Rank];
            Array.Fill(scales, first);
            _sites.Add((module, Add($"{path}.vera_lambda_d", [vera.Rank], scales), Add($"{path}.vera_lambda_b", [module.Outputs])));
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits() =>
        [.. _sites.Select(entry => new SharedLowRank(entry.Module.Site, _a, _b, entry.RankScale.Values, entry.ProductScale.Values))];

    public override void Pull(EditGradients gradients)
    {
        foreach ((BaseModule module, Parameter rankScale, Parameter productScale) in _sites)
        {
            LinearEditGradient site = gradients.At(module.Site)!;
            Accumulate(rankScale, site.RankScale);
            Accumulate(productScale, site.ProductScale);
        }
    }

    internal override IEnumerable<Parameter> Saved() =>
        _savesProjections ? [.. Parameters, Projection(ProjectionA, _a), Projection(ProjectionB, _b)] : Parameters;

    private protected override void Load(ConfigFields source, AdapterTensors tensors)
    {
        base.Load(source, tensors);
        if (tensors.Has(ProjectionA))
        {
            (_a, _b) = (Projection(tensors, ProjectionA, _a), Projection(tensors, ProjectionB, _b));
        }
    }

    private static Parameter Projection(string name, SharedMatrix matrix) => new(name, [matrix.Values.Rows, matrix.Values.Columns], matrix.Values.Values);

    private static SharedMatrix Projection(AdapterTensors tensors, string name, SharedMatrix shape) =>
        new(tensors.Matrix(name, shape.Values.Rows, shape.Values.Columns, "the targeted modules' greatest sizes"));
}
