using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Deft;

/// <summary>DEFT: what W makes along a few directions is taken away and something else put in its place, W − B·Cᵀ·W + scale·B·R.</summary>
/// <remarks>B is P and C is relu(P), or both are the orthonormal columns of P's QR decomposition. Without R it is PaRa (Chen et al. 2024).</remarks>
internal sealed class DeftReader : ModuleReader
{
    private readonly DeftConfig _config;

    private DeftReader(DeftConfig config, AdapterTensors tensors, IBaseModel model)
        : base(config.Modules, tensors, model) => _config = config;

    /// <inheritdoc />
    protected override string Name => _config.RemovesOnly ? "PaRa" : "DEFT";

    /// <inheritdoc />
    protected override bool IsMadeOfWeight => true;

    /// <summary>Reads an adapter.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent Read(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        new DeftReader(DeftConfig.Read(fields), tensors.WithPrefix(AdapterFiles.PeftPrefix), model).Read();

    /// <summary>The change, B·(scale·R − Cᵀ·W).</summary>
    /// <param name="model">The base.</param>
    /// <param name="module">The linear map.</param>
    /// <param name="b">B, [outputs, rank].</param>
    /// <param name="c">C, [outputs, rank].</param>
    /// <param name="injected">R, [rank, inputs]; null: nothing.</param>
    /// <param name="scale">Factor of R.</param>
    public static LowRank Edit(IBaseModel model, BaseModule module, FloatMatrix b, FloatMatrix c, FloatMatrix? injected, float scale)
    {
        FloatMatrix a = model.MultiplyFromLeft(module, c.Transposed());
        TensorPrimitives.Negate(a.Values, a.Values);
        if (injected is not null)
        {
            TensorPrimitives.MultiplyAdd(injected.Values, scale, a.Values, a.Values);
        }

        return new LowRank(module.Site, a, b, 1);
    }

    /// <summary>max(P, 0).</summary>
    public static FloatMatrix Positive(FloatMatrix directions) => new(directions.Rows, directions.Columns, Array.ConvertAll(directions.Values, value => Math.Max(value, 0)));

    /// <inheritdoc />
    protected override void ReadTarget(ModuleEdits edits)
    {
        BaseModule module = edits.Module;
        int rank = _config.Rank(module);
        string because = $"{module.Path} is [{module.Outputs}, {module.Inputs}] in the base, and r makes {rank} directions there";
        FloatMatrix directions = Tensors.Matrix($"{module.Path}.deft_P", module.Outputs, rank, because);
        FloatMatrix? injected = _config.RemovesOnly ? null : Tensors.Matrix($"{module.Path}.deft_R", rank, module.Inputs, because);
        FloatMatrix b = _config.IsOrthogonal ? new HouseholderQr(directions).Q : directions;
        LowRank change = Edit(Model, module, b, _config.IsOrthogonal ? b : Positive(directions), injected, _config.Scale(module));
        RequireFinite(change.A, $"{module.Path}.deft_P", "directions of which the change is finite");
        edits.Pairs.Add(change);
    }
}
