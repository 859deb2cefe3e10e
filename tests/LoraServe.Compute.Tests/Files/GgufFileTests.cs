using FsCheck;
using FsCheck.Fluent;
using LoraServe.Compute.Files;
using LoraServe.Testing;

namespace LoraServe.Compute.Tests.Files;

public sealed class GgufFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("loraserve-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Open_ValidFile_HasMetadataAndShapesOutermostFirst()
    {
        using var file = GgufFile.Open(Repository.Fixture("files/tiny-llama.gguf"));
        Assert.Equal("llama", file.Metadata.GetString("general.architecture"));
        Assert.Equal(16, file.Metadata.GetInteger("llama.embedding_length"));
        Assert.Equal(1e-5, file.Metadata.GetNumber("llama.attention.layer_norm_rms_epsilon"), 1e-9);
        Assert.Equal(["a b"], file.Metadata.FindStrings("tokenizer.ggml.merges")!);
        Assert.Equal(16, file.Metadata.FindLength("tokenizer.ggml.tokens"));
        Assert.Null(file.Metadata.FindString("nothing"));
        Assert.Equal("'blk.0.attn_k.weight' F32 [8, 16]", file.GetTensor("blk.0.attn_k.weight").ToString());
        Assert.Empty(file.UnsupportedTensors);
    }

    [Fact]
    public void Metadata_OfAnotherType_NamesKeyAndTypes()
    {
        using var file = GgufFile.Open(Repository.Fixture("files/tiny-llama.gguf"));
        AssertNames(() => file.Metadata.GetInteger("general.architecture"), "'general.architecture' is String", "an integer");
        AssertNames(() => file.Metadata.FindStrings("llama.block_count"), "'llama.block_count' is UInt32", "an array of strings");
        AssertNames(() => file.Metadata.GetString("tokenizer.ggml.tokens"), "array of 16 String", "a string");
        AssertNames(() => file.Metadata.GetNumber("nothing"), "'nothing' is missing", "a number");
    }

    [Fact]
    public void Open_DamagedFile_LoadsOrIsRefused()
    {
        byte[] valid = File.ReadAllBytes(Repository.Fixture("files/tiny-llama.gguf"));
        string path = Path.Combine(_directory, "damaged.gguf");
        Prop.ForAll(Damage.Of(valid).ToArbitrary(), damaged =>
        {
            File.WriteAllBytes(path, damaged);
            Exception? error = HostileFiles.Load(() => ReadAll(path));
            return error is null or TensorFileException;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    private static void ReadAll(string path)
    {
        using var file = GgufFile.Open(path);
        foreach (string key in file.Metadata.Keys)
        {
            Record.Exception(() => file.Metadata.FindString(key));
            Record.Exception(() => file.Metadata.FindStrings(key));
            Record.Exception(() => file.Metadata.FindIntegers(key));
        }

        foreach (Compute.Tensors.Tensor tensor in file.Tensors.Values)
        {
            tensor.ToFloats();
        }
    }

    private static void AssertNames(Action action, params string[] parts)
    {
        string message = Assert.Throws<TensorFileException>(action).Message;
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
    }
}
