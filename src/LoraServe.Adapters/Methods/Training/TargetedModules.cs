using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Training;

/// <summary>The modules that a method trains at.</summary>
internal static class TargetedModules
{
    /// <summary>The linear maps that a configuration targets.</summary>
    /// <exception cref="AdapterFormatException">There is none, a table is among them, or something beside them is to be trained.</exception>
    public static BaseModule[] Of(TargetConfig config, IBaseModel model)
    {
        if (config.ModulesToSave.Length > 0 || config.TrainableTokens.Count > 0 || config.ReplacesBiasesOfTargets)
        {
            throw new AdapterFormatException("modules_to_save, trainable_token_indices or bias is set; with this method modules, tokens and biases of their own can be served, not trained. Train them as LoRA's.");
        }

        BaseModule[] modules = [.. model.Modules.Where(config.Targets.Targets)];
        if (modules.Length == 0)
        {
            throw new AdapterFormatException($"target_modules is {config.Targets.Describe()}, which the base has not.");
        }

        return modules.FirstOrDefault(module => module.Site.IsTable) is { } table
            ? throw new AdapterFormatException($"{table.Path} is targeted; expected linear maps alone. Take it out of target_modules.")
            : modules;
    }
}
