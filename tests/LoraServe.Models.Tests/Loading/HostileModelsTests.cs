using FsCheck;
using FsCheck.Fluent;
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

    [Fact]
    public void Load_DamagedGguf_LoadsOrIsRefused() => Fuzz(Repository.Fixture("files/tiny-llama.gguf"), (damaged, directory) =>
    {
        string path = directory.File("model.gguf");
        File.WriteAllBytes(path, damaged);
        return path;
    });

    [Fact]
    public void Load_DamagedConfig_LoadsOrIsRefused() => Fuzz(Repository.Fixture("models/llama-tied/config.json"), (damaged, directory) =>
    {
        string weights = directory.File("model.safetensors");
        if (!File.Exists(weights))
        {
            File.Copy(Repository.Fixture("models/llama-tied/model.safetensors"), weights);
        }

        File.WriteAllBytes(directory.File("config.json"), damaged);
        return directory.Path;
    });

    private static void Fuzz(string file, Func<byte[], TemporaryDirectory, string> write)
    {
        byte[] valid = File.ReadAllBytes(file);
        using var directory = new TemporaryDirectory();
        Prop.ForAll(Damage.Of(valid).ToArbitrary(), damaged =>
        {
            Exception? error = HostileFiles.Load(() => ModelLoader.Load(CpuDevice.Instance, write(damaged, directory)).Dispose());
            return error is null or ModelFormatException or TensorFileException or TokenizerFormatException;
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(300));
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
