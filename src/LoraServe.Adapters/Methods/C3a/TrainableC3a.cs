using System.Numerics.Tensors;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.C3a;

/// <summary>C³A (Chen et al. 2024, arXiv:2407.19342): the first rows of circulant blocks.</summary>
internal sealed class TrainableC3a : TrainableUpdates
{
    /// <summary>Zeros where the configuration's init_weights is true, else drawn as it says.</summary>
    public TrainableC3a(JsonObject config, IBaseModel model, TrainableOptions options)
        : base(config, model)
    {
        ConfigFields fields = PeftConfig.Fields(config);
        C3aConfig c3a = C3aConfig.Read(fields);
        JsonElement? first = fields.Find("init_weights");
        AddUpdates(c3a.Modules, options.Seed, (module, path, seed) =>
        {
            int size = c3a.Size(module);
            int[] shape = [module.Outputs / size, module.Inputs / size, size];
            return new Update(module, Add($"{path}.c3a_kernel", shape, FirstValues(fields, first, module, shape[0] * module.Inputs, seed)));
        });
    }

    private static float[]? FirstValues(ConfigFields fields, JsonElement? first, BaseModule module, int count, int seed)
    {
        return first switch
        {
            { ValueKind: JsonValueKind.True } => null,
            null or { ValueKind: JsonValueKind.False } => Xavier(),
            { ValueKind: JsonValueKind.String } text when text.GetString() == "xavier_uniform" => Xavier(),
            { ValueKind: JsonValueKind.String } text when text.GetString() == "kaiming_uniform" => Initialization.Uniform(count, 1 / MathF.Sqrt(module.Inputs), seed),
            { ValueKind: JsonValueKind.String } text when text.GetString() == "gaussian" => Initialization.Normal(count, 1, seed),
            { } other => throw fields.Refuse("init_weights", other, "true, false, gaussian, kaiming_uniform or xavier_uniform"),
        };

        float[] Xavier() => Initialization.Uniform(count, MathF.Sqrt(6f / (module.Inputs + module.Outputs)), seed);
    }

    private sealed class Update(BaseModule module, Parameter kernels) : TrainableUpdate(module)
    {
        public override ModuleEdit Edit() => C3aReader.Edit(Module, kernels.Values, kernels.Shape[2]);

        public override void Pull(LinearEditGradient change)
        {
            int size = kernels.Shape[2];
            float[] row = new float[Module.Inputs];
            for (int output = 0; output < Module.Outputs; output++)
            {
                (int block, int moved) = int.DivRem(output, size);
                TensorPrimitives.Divide(change.Dense!.Values.AsSpan(output * Module.Inputs, Module.Inputs), (float)Module.Inputs, row);
                for (int column = 0; column < Module.Inputs; column += size)
                {
                    Span<float> kernel = kernels.Gradient.AsSpan((block * Module.Inputs) + column, size);
                    ReadOnlySpan<float> part = row.AsSpan(column, size);
                    TensorPrimitives.Add(kernel[..^moved], part[moved..], kernel[..^moved]);
                    TensorPrimitives.Add(kernel[^moved..], part[..moved], kernel[^moved..]);
                }
            }
        }
    }
}
