using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Peanut;

/// <summary>PEANuT (Zhong et al. 2024): a small network makes the change of a weight of the weight itself, scale·B·f(A·W).</summary>
/// <remarks>The network acts on the weight's columns, not on what is asked, so that what it makes is one low-rank pair.</remarks>
internal sealed class PeanutReader : ModuleReader
{
    private readonly PeanutConfig _config;

    private PeanutReader(PeanutConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => "PEANuT";

    /// <inheritdoc />
    protected override bool IsMadeOfWeight => true;

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new PeanutReader(PeanutConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <summary>Name of an inner layer's tensor.</summary>
    /// <param name="path">The module.</param>
    /// <param name="kind"><c>encoders</c> or <c>decoders</c>.</param>
    /// <param name="layer">Its number from 0.</param>
    public static string LayerName(string path, string kind, int layer) => $"{path}.peanut_{kind}.{layer}.weight";

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        int rank = _config.Rank;
        string because = $"{module.Path} has {module.Outputs} outputs in the base, r is {rank} in the configuration";
        FloatMatrix a = Tensors.Matrix($"{module.Path}.peanut_A.weight", rank, module.Outputs, because);
        FloatMatrix b = Tensors.Matrix($"{module.Path}.peanut_B.weight", module.Outputs, rank, because);
        var network = new PeanutNetwork(Layers("encoders"), Layers("decoders"), _config.Activation);
        FloatMatrix made = network.Forward(Model.MultiplyFromLeft(module, a));
        RequireFinite(made, $"{module.Path}.peanut_A.weight", "values of which the change is finite");
        edits.Pairs.Add(new LowRank(module.Site, made, b, _config.Scale));

        FloatMatrix[] Layers(string kind)
        {
            var layers = new List<FloatMatrix>();
            for (int i = 0; i < _config.Depth; i++)
            {
                layers.Add(Tensors.Matrix(LayerName(module.Path, kind, i), rank, rank, $"r is {rank} and depth {_config.Depth} in the configuration"));
            }

            return [.. layers];
        }
    }
}
