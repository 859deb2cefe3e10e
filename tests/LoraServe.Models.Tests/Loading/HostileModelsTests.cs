using LoraServe.Compute.Files;
using LoraServe.Cpu;
using LoraServe.Models.Config;
using LoraServe.Testing;
using LoraServe.Tokenization.Files;

namespace LoraServe.Models.Tests.Loading;

public class HostileModelsTests
{
    public static TheoryData<string, string, bool> Configs => HostileFiles.In("config");

    public static TheoryData<string, string, bool> Gguf => HostileFiles.In("gguf");

    [SkippableTheory]
    [MemberData(nameof(Configs))]
    public void Load_HostileDirectory_IsRefused(string file, string kind, bool strict) =>
        Check(Path.GetDirectoryName(HostileFiles.Require(file))!, kind, strict);

    [SkippableTheory]
    [MemberData(nameof(Gguf))]
    public void Load_HostileGguf_IsRefused(string file, string kind, bool strict) =>
        Check(HostileFiles.Require(file), kind, strict);

    [Theory]
    [InlineData("{\"model_type\": \"\u00d5\"}", "is not UTF-8")]
    [InlineData("{\"model_type\": \"llama\", \"attention_bias\": \"\u00d5\"}", "is not UTF-8")]
    [InlineData("{\"model_type\": \"\\ud800\"}", "model_type")]
    public void Load_ConfigThatIsNoUnicode_IsRefused(string config, string problem)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllBytes(directory.File("config.json"), System.Text.Encoding.Latin1.GetBytes(config));

        Assert.Contains(problem, Assert.Throws<ModelFormatException>(() => ModelLoader.Load(CpuDevice.Instance, directory.Path)).Message, StringComparison.Ordinal);
    }

    private static void Check(string path, string kind, bool strict)
    {
        Exception? error = HostileFiles.Load(() => ModelLoader.Load(CpuDevice.Instance, path).Dispose());
        if (kind == "valid")
        {
            Assert.Null(error);
        }
        else if (strict || error is not null)
        {
            Assert.NotNull(error);
            Assert.True(error is ModelFormatException or TensorFileException or TokenizerFormatException, error.ToString());
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
        }
    }
}
