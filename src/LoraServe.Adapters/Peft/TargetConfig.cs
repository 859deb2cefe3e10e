using System.Text.Json;

namespace LoraServe.Adapters.Peft;

/// <summary>Which modules a method edits or stores whole: what the configurations of all methods that wrap modules have in common.</summary>
internal sealed class TargetConfig
{
    /// <summary>Reads target_modules, modules_to_save, bias and trainable_token_indices.</summary>
    /// <param name="fields">The configuration.</param>
    /// <param name="targetsOnly">What 'bias' says where the biases of the targeted modules alone are replaced, such as <c>lora_only</c>.</param>
    /// <exception cref="AdapterFormatException">A field is wrong.</exception>
    public TargetConfig(ConfigFields fields, string? targetsOnly = null)
    {
        Targets = new ModuleFilter(fields);
        ModulesToSave = fields.Texts("modules_to_save") ?? [];
        TrainableTokens = ReadTrainableTokens(fields);
        string bias = fields.Text("bias") ?? "none";
        if (bias != "none" && bias != "all" && bias != targetsOnly)
        {
            throw new AdapterFormatException($"{fields.File}: field 'bias' is '{bias}'; expected none{(targetsOnly is null ? "" : $", {targetsOnly}")} or all.");
        }

        (ReplacesBiases, ReplacesBiasesOfTargets) = (bias == "all", bias != "none");
    }

    /// <summary>Token rows and nothing else, at the modules that target_modules names.</summary>
    public TargetConfig(ConfigFields fields, int[] tokens)
    {
        string[] names = fields.Texts("target_modules") ?? ["embed_tokens"];
        Targets = new ModuleFilter([]);
        TrainableTokens = names.Distinct().ToDictionary(name => name, _ => tokens);
    }

    /// <summary>The modules that the method edits.</summary>
    public ModuleFilter Targets { get; }

    /// <summary>Ends of the paths of the modules that are stored whole.</summary>
    public string[] ModulesToSave { get; } = [];

    /// <summary>Tokens whose rows are replaced, by the name of the module.</summary>
    public IReadOnlyDictionary<string, int[]> TrainableTokens { get; }

    /// <summary>Whether every bias of the base is replaced.</summary>
    public bool ReplacesBiases { get; }

    /// <summary>Whether the biases of the targeted modules are replaced.</summary>
    public bool ReplacesBiasesOfTargets { get; }

    private static Dictionary<string, int[]> ReadTrainableTokens(ConfigFields fields)
    {
        const string Field = "trainable_token_indices";
        return fields.Find(Field) switch
        {
            null => [],
            { ValueKind: JsonValueKind.Object } => fields.Entries(Field).ToDictionary(entry => entry.Name, entry => fields.Integers(Field, entry.Value)),
            _ => new Dictionary<string, int[]> { ["embed_tokens"] = fields.Integers(Field)! },
        };
    }
}
