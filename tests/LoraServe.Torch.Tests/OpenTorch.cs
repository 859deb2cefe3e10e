using LoraServe.Models;
using LoraServe.Testing;

namespace LoraServe.Torch.Tests;

/// <summary>Opens the device on this machine's processor; skips the calling test where there is no libtorch.</summary>
internal static class OpenTorch
{
    public static TorchDevice With(TorchDeviceOptions? options = null)
    {
        Devices.Named("torch").Require();
        return TorchDevice.Open(options ?? new TorchDeviceOptions());
    }

    /// <summary>The most that two lists of rows differ.</summary>
    public static float Difference(float[][] one, float[][] two) => one.Zip(two).Max(rows => rows.First.Zip(rows.Second, (a, b) => MathF.Abs(a - b)).Max());

    /// <summary>What a model says after every token of a few.</summary>
    public static float[][] Logits(Transformer model)
    {
        using var harness = new ForwardHarness(model);
        return harness.Logits(TinyModel.Tokens(7, 29, model.VocabularySize));
    }
}
