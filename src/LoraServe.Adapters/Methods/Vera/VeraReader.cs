using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Vera;

/// <summary>VeRA (Kopiczko et al. 2024): random projections that all modules share; what is trained scales their ranks and outputs. PVeRA's mean is that.</summary>
internal sealed class VeraReader : ModuleReader
{
    private const int RanksPerWidth = 4;
    private readonly VeraConfig _config;
    private readonly SharedMatrix _a;
    private readonly SharedMatrix _b;

    private VeraReader(VeraConfig config, AdapterTensors tensors, IBaseModel model, SharedMatrix a, SharedMatrix b)
        : base(config.Modules, tensors, model) => (_config, _a, _b) = (config, a, b);

    /// <inheritdoc />
    protected override string Name => _config.Name;

    /// <summary>Reads an adapter.</summary>
    /// <param name="config">Its configuration.</param>
    /// <param name="fields">The same, for messages.</param>
    /// <param name="tensors">Its tensors.</param>
    /// <param name="model">The base.</param>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(VeraConfig config, ConfigFields fields, AdapterTensors tensors, IBaseModel model)
    {
        BaseModule[] targets = [.. model.Modules.Where(module => !module.Site.IsTable && config.Modules.Targets.Targets(module))];
        (int outputs, int inputs) = (targets.Max(module => (int?)module.Outputs) ?? 1, targets.Max(module => (int?)module.Inputs) ?? 1);
        AdapterTensors shared = tensors.WithPrefix("base_model.");
        SharedMatrix a, b;
        (string nameOfA, string nameOfB) = ($"{config.Prefix}_A", $"{config.Prefix}_B");
        if (shared.Has(nameOfA) || shared.Has(nameOfB))
        {
            string because = $"rank {config.Rank}, and the targeted modules have at most {inputs} inputs and {outputs} outputs";
            (a, b) = (Acting(config, shared.Matrix(nameOfA, config.RowsOfA, inputs, because)), new SharedMatrix(shared.Matrix(nameOfB, outputs, config.Rank, because)));
        }
        else
        {
            CheckRank(config, Math.Max(inputs, outputs), fields, tensors);
            (a, b) = Projections(config, inputs, outputs);
        }

        return new VeraReader(config, tensors.WithPrefix(AdapterFiles.PeftPrefix), model, a, b).Read();
    }

    /// <summary>The projections that PEFT draws from a seed.</summary>
    /// <param name="config">Seed and rank.</param>
    /// <param name="inputs">Greatest number of inputs of a targeted module.</param>
    /// <param name="outputs">Greatest number of outputs of a targeted module.</param>
    public static (SharedMatrix A, SharedMatrix B) Projections(VeraConfig config, int inputs, int outputs)
    {
        var generator = new TorchGenerator((ulong)config.Seed);
        var a = new FloatMatrix(config.RowsOfA, inputs, generator.KaimingUniform(config.RowsOfA, inputs));
        return (Acting(config, a), new SharedMatrix(new FloatMatrix(outputs, config.Rank, generator.KaimingUniform(outputs, config.Rank))));
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        string because = $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base, rank {_config.Rank} in the configuration";
        edits.Shared = new SharedLowRank(
            module.Site,
            _a,
            _b,
            Tensors.Vector($"{module.Path}.{_config.Prefix}_lambda_d", _config.RowsOfA, because)[.._config.Rank],
            Tensors.Vector($"{module.Path}.{_config.Prefix}_lambda_b", module.Outputs, because));
    }

    private static SharedMatrix Acting(VeraConfig config, FloatMatrix a) =>
        new(config.RowsOfA == config.Rank ? a : new FloatMatrix(config.Rank, a.Columns, a.Values[..(config.Rank * a.Columns)]));

    // Before so many numbers are drawn, the file has to show that it has that rank, and a small file must not make them too many.
    private static void CheckRank(VeraConfig config, int width, ConfigFields fields, AdapterTensors tensors)
    {
        int greatest = RanksPerWidth * width;
        string vectors = $"{config.Prefix}_lambda_d";
        bool isThere = tensors.Untaken.Any(name => name.EndsWith($".{vectors}", StringComparison.Ordinal) && tensors.Shape(name) is [var length] && length == config.RowsOfA);
        if (config.Rank > greatest || !isThere)
        {
            string expected = config.RowsOfA == config.Rank ? "the length" : "half the length";
            throw new AdapterFormatException($"{fields.File}: field 'r' is {config.Rank}; expected {expected} of the tensors '{vectors}' in {tensors.File}, and at most {greatest}. Correct the field or save the adapter again.");
        }
    }
}
