using System.Text.Json;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Ia3;

/// <summary>An <c>adapter_config.json</c> of peft_type IA3.</summary>
internal sealed class Ia3Config
{
    private const string FeedForwardField = "feedforward_modules";
    private readonly string[] _feedForward = [];
    private readonly ModulePattern? _feedForwardPattern;

    private Ia3Config(ConfigFields fields)
    {
        Modules = new TargetConfig(fields);
        if (fields.Find(FeedForwardField) is { ValueKind: JsonValueKind.String } pattern)
        {
            _feedForwardPattern = ModulePattern.Whole(fields.File, pattern.GetString()!);
        }
        else
        {
            _feedForward = fields.Texts(FeedForwardField) ?? [];
        }

        fields.Ignore("init_ia3_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Which modules are scaled.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static Ia3Config Read(ConfigFields fields) => new(fields);

    /// <summary>Whether a targeted module's inputs are scaled instead of its outputs.</summary>
    public bool ScalesInputs(string path) =>
        _feedForwardPattern?.IsMatch(path) ?? _feedForward.Any(name => path.EndsWith(name, StringComparison.Ordinal));
}
