using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.RandLora;

/// <summary>RandLoRA (Albert et al. 2025): a sum of random low-rank bases, together of full rank, whose terms are scaled.</summary>
internal sealed class RandLoraReader : ModuleReader
{
    private readonly RandLoraConfig _config;
    private readonly RandLoraBases _shared;

    private RandLoraReader(RandLoraConfig config, AdapterTensors tensors, IBaseModel model, RandLoraBases shared)
        : base(config.Modules, tensors, model) => (_config, _shared) = (config, shared);

    /// <inheritdoc />
    protected override string Name => "RandLoRA";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model)
    {
        RandLoraConfig config = RandLoraConfig.Read(fields);
        (int lesser, int greater) = RandLoraBases.Widths(model.Modules.Where(module => !module.Site.IsTable && config.Modules.Targets.Targets(module)));
        RandLoraBases bases;
        if (tensors.Has($"base_model.{RandLoraBases.NameOfA}") || tensors.Has($"base_model.{RandLoraBases.NameOfB}"))
        {
            bases = RandLoraBases.Read(tensors.WithPrefix("base_model."), config, lesser, greater);
        }
        else
        {
            // Before so many numbers are drawn, the file has to show that it has that rank.
            bool isShown = tensors.Untaken.Any(name => name.EndsWith(".randlora_lambda", StringComparison.Ordinal) && tensors.Shape(name) is [var rank, _] && rank == config.Rank);
            if (!isShown || config.Rank > greater)
            {
                throw new AdapterFormatException($"{fields.File}: field 'r' is {config.Rank}; expected the number of rows of the tensors 'randlora_lambda' in {tensors.File}, and at most {greater}. Correct the field or save the adapter again.");
            }

            bases = RandLoraBases.Draw(config, lesser, greater);
        }

        return new RandLoraReader(config, tensors.WithPrefix(AdapterFiles.PeftPrefix), model, bases).Read();
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        int lesser = Math.Min(module.Outputs, module.Inputs);
        int bases = _config.Bases(lesser);
        string because = $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base, r is {_config.Rank} in the configuration";
        FloatMatrix lambda = Tensors.Matrix($"{module.Path}.randlora_lambda", _config.Rank, bases, because);
        FloatMatrix gamma = Tensors.Matrix($"{module.Path}.randlora_gamma", bases, lesser, because);

        // PEFT saves what all modules share at each of them as well.
        AdapterTensors own = Tensors.WithPrefix($"{AdapterFiles.PeftPrefix}{module.Path}.");
        if (own.Has(RandLoraBases.NameOfA) || own.Has(RandLoraBases.NameOfB))
        {
            _shared.RequireSame(RandLoraBases.Read(own, _config, _shared.Lesser, _shared.Greater), module, own);
        }

        FloatMatrix change = _shared.Change(module, lambda, gamma, _config.Scale);
        RequireFinite(change, $"{module.Path}.randlora_lambda", "values of which the change is finite");
        edits.Add(new DenseDelta(module.Site, change));
    }
}
