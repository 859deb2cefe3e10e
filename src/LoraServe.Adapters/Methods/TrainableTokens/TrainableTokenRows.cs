using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.TrainableTokens;

/// <summary>Trainable tokens: rows of the token table, and of a head tied to it.</summary>
internal sealed class TrainableTokenRows : TrainableAdapter
{
    private const string Suffix = ".trainable_tokens_delta";
    private readonly ReplacedParameters _rows;

    /// <summary>The rows that the configuration names, with the base's values.</summary>
    public TrainableTokenRows(JsonObject config, IBaseModel model)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        var targets = new TargetConfig(fields, fields.Integers("token_indices") ?? []);
        _rows = new ReplacedParameters(model);
        _rows.AddTokenRows(targets.TrainableTokens, (path, shape, values) => Add($"{AdapterFiles.PeftPrefix}{path}{Suffix}", shape, values));
        if (Parameters.Count == 0)
        {
            throw new AdapterFormatException(
                $"target_modules is {string.Join(", ", targets.TrainableTokens.Keys)}; expected the token table or the head, and token_indices to name tokens.");
        }
    }

    public override IReadOnlyList<AdapterEdit> Edits() => [.. _rows.Edits()];

    public override void Pull(EditGradients gradients) => _rows.Pull(gradients);

    /// <summary>A head that is tied to the table has its rows in the file as well.</summary>
    internal override IEnumerable<Parameter> Saved()
    {
        string head = $"{AdapterFiles.PeftPrefix}{Model.Modules.First(module => module.Site == Site.Head).Path}{Suffix}";
        return Model.TiedHead && Parameters.All(parameter => parameter.Name != head) ? [.. Parameters, Parameters[0].Named(head)] : Parameters;
    }
}
