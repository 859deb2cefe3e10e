using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Vera;

/// <summary>VeRA (Kopiczko et al. 2024): random projections that all modules share; what is trained scales their ranks and outputs.</summary>
internal sealed class VeraReader : ModuleReader
{
    private const int RanksPerWidth = 4;
    private readonly VeraConfig _config;
    private readonly SharedMatrix _a;
    private readonly SharedMatrix _b;

    private VeraReader(VeraConfig config, AdapterTensors tensors, IBaseModel model, SharedMatrix a, SharedMatrix b)
        : base(config.Modules, tensors, model) => (_config, _a, _b) = (config, a, b);

    /// <inheritdoc />
    protected override string Name => "VeRA";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model)
    {
        VeraConfig config = VeraConfig.Read(fields);
        BaseModule[] targets = [.. model.Modules.Where(module => !module.Site.IsTable && config.Modules.Targets.Targets(module))];
        (int outputs, int inputs) = (targets.Max(module => (int?)module.Outputs) ?? 1, targets.Max(module => (int?)module.Inputs) ?? 1);
        AdapterTensors shared = tensors.WithPrefix("base_model.");
        SharedMatrix a, b;
        if (shared.Has("vera_A") || shared.Has("vera_B"))
        {
            string because = $"rank {config.Rank}, and the targeted modules have at most {inputs} inputs and {outputs} outputs";
            (a, b) = (new SharedMatrix(shared.Matrix("vera_A", config.Rank, inputs, because)), new SharedMatrix(shared.Matrix("vera_B", outputs, config.Rank, because)));
        }
        else
        {
            CheckRank(config, Math.Max(inputs, outputs), fields, tensors);
            (a, b) = Projections(config.Seed, config.Rank, inputs, outputs);
        }

        return new VeraReader(config, tensors.WithPrefix(AdapterFiles.PeftPrefix), model, a, b).Read();
    }

    /// <summary>The projections that PEFT draws from a seed.</summary>
    /// <param name="seed">Its <c>projection_prng_key</c>.</param>
    /// <param name="rank">Their rank.</param>
    /// <param name="inputs">Greatest number of inputs of a targeted module.</param>
    /// <param name="outputs">Greatest number of outputs of a targeted module.</param>
    public static (SharedMatrix A, SharedMatrix B) Projections(int seed, int rank, int inputs, int outputs)
    {
        var generator = new TorchGenerator((ulong)seed);
        var a = new FloatMatrix(rank, inputs, generator.KaimingUniform(rank, inputs));
        return (new SharedMatrix(a), new SharedMatrix(new FloatMatrix(outputs, rank, generator.KaimingUniform(outputs, rank))));
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
            Tensors.Vector($"{module.Path}.vera_lambda_d", _config.Rank, because),
            Tensors.Vector($"{module.Path}.vera_lambda_b", module.Outputs, because));
    }

    // Before so many numbers are drawn, the file has to show that it has that rank, and a small file must not make them too many.
    private static void CheckRank(VeraConfig config, int width, ConfigFields fields, AdapterTensors tensors)
    {
        int greatest = RanksPerWidth * width;
        if (config.Rank > greatest || !tensors.Untaken.Any(name => name.EndsWith(".vera_lambda_d", StringComparison.Ordinal) && tensors.Shape(name) is [var rank] && rank == config.Rank))
        {
            throw new AdapterFormatException($"{fields.File}: field 'r' is {config.Rank}; expected the length of the tensors 'vera_lambda_d' in {tensors.File}, and at most {greatest}. Correct the field or save the adapter again.");
        }
    }
}
