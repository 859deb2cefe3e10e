using LoraServe.Adapters.Edits;
using LoraServe.Models.Spec;
using LoraServe.Testing;

namespace LoraServe.Models.Tests;

/// <summary>Devices, and shapes of models that between them have all that a spec can say.</summary>
internal static class DeviceCases
{
    public static IEnumerable<object[]> All => from device in Devices.All from shape in Shapes.Keys select new object[] { device.Name, shape };

    private static Dictionary<string, TransformerSpec> Shapes { get; } = new()
    {
        ["llama"] = TinyModel.DefaultSpec,
        ["tied head"] = TinyModel.DefaultSpec with { TiedHead = true },
        ["norms after sublayers"] = TinyModel.DefaultSpec with { LayerNorms = [NormRole.Attention, NormRole.AfterAttention, NormRole.Mlp, NormRole.AfterMlp] },
        ["GELU gate"] = TinyModel.DefaultSpec with { MlpActivation = Activation.TanhGelu },
        ["query scale"] = TinyModel.DefaultSpec with { QueryScale = 0.3f },
        ["embedding scale"] = TinyModel.DefaultSpec with { EmbeddingScale = 3 },
        ["logit cap"] = TinyModel.DefaultSpec with { LogitCap = 2 },
    };

    public static Transformer Create(string device, string shape) =>
        TinyModel.Create(11, spec: Shapes[shape], device: Devices.All.Single(one => one.Name == device));
}
