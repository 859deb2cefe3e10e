using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.TrainableTokens;

/// <summary>Rows of the token table, and of a head tied to it, are replaced.</summary>
internal sealed class TrainableTokensReader : ModuleReader
{
    private TrainableTokensReader(TargetConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config, tensors, model)
    {
    }

    /// <inheritdoc />
    protected override string Name => "trainable tokens";

    /// <inheritdoc />
    protected override string TokenRowsPart => "";

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model)
    {
        var config = new TargetConfig(fields, fields.Integers("token_indices") ?? []);
        fields.Ignore("init_weights");
        PeftConfig.RefuseTheRest(fields);
        return new TrainableTokensReader(config, tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();
    }

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits) => throw new InvalidOperationException("No module is targeted.");
}
