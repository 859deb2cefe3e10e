using FsCheck;
using FsCheck.Fluent;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;

namespace LoraServe.Compute.Tests.Files;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("loraserve-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Open_WhatWasWritten_IsTheSame()
    {
        string path = Path.Combine(_directory, "a.safetensors");
        Tensor[] tensors =
        [
            Tensor.FromBytes("half", ElementType.F16, [0, 60], 1),
            Tensor.FromFloats("b \"quoted\"", [1, 2, 3, 4, 5, 6], 2, 3),
            Tensor.FromFloats("scalar", [7]),
            Tensor.FromFloats("empty", [], 0, 5),
        ];
        SafetensorsFile.Write(path, tensors, new Dictionary<string, string> { ["format"] = "pt" });
        byte[] first = File.ReadAllBytes(path);
        SafetensorsFile.Write(path, tensors.Reverse(), new Dictionary<string, string> { ["format"] = "pt" });
        Assert.Equal(first, File.ReadAllBytes(path));
        Assert.Single(Directory.GetFiles(_directory));

        using var file = SafetensorsFile.Open(path);
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal(tensors.Length, file.Tensors.Count);
        foreach (Tensor tensor in tensors)
        {
            Tensor read = file.Tensors[tensor.Name];
            Assert.Equal(tensor.ToString(), read.ToString());
            Assert.Equal(tensor.ToFloats(), read.ToFloats());
        }
    }

    [Fact]
    public void Write_TwoTensorsOfOneName_LeavesTheOldFile()
    {
        string path = Path.Combine(_directory, "a.safetensors");
        File.WriteAllText(path, "old");
        Tensor tensor = Tensor.FromFloats("a", [1], 1);
        Assert.Throws<ArgumentException>(() => SafetensorsFile.Write(path, [tensor, tensor]));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(_directory));
    }

    [Fact]
    public void Data_OfADisposedFile_Throws()
    {
        SafetensorsFile file = SafetensorsFile.Open(Repository.Fixture("files/tiny.safetensors"));
        Tensor tensor = file.Tensors.Values.First();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tensor.ToFloats());
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, null)]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 5, "bytes too many")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "needs 8 bytes")]
    [InlineData("""{"a":{"dtype":"F8_E8M0","shape":[4],"data_offsets":[0,4]}}""", 4, "supported are F32")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"extra":1}}""", 4, "'extra'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,4]}}""", 4, "overflows")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}""", 4, "twice")]
    public void Parse_Header_IsAcceptedOrTheProblemIsNamed(string header, int dataBytes, string? problem)
    {
        byte[] json = System.Text.Encoding.UTF8.GetBytes(header);
        byte[] file = [.. BitConverter.GetBytes((long)json.Length), .. json, .. new byte[dataBytes]];
        Exception? error = Record.Exception(() => SafetensorsFile.Parse(file, "upload").Dispose());
        if (problem is null)
        {
            Assert.Null(error);
        }
        else
        {
            string message = Assert.IsType<TensorFileException>(error).Message;
            Assert.StartsWith("upload: ", message, StringComparison.Ordinal);
            Assert.Contains(problem, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Parse_DamagedFile_LoadsOrIsRefused()
    {
        byte[] valid = File.ReadAllBytes(Repository.Fixture("files/tiny.safetensors"));
        Prop.ForAll(Damage.Of(valid).ToArbitrary(), damaged =>
        {
            Exception? error = HostileFiles.Load(() => ReadAll(SafetensorsFile.Parse(damaged, "damaged").Tensors.Values));
            return error is null or TensorFileException;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    private static void ReadAll(IEnumerable<Tensor> tensors)
    {
        foreach (Tensor tensor in tensors)
        {
            tensor.ToFloats();
        }
    }
}
