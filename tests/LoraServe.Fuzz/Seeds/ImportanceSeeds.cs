using System.Text;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;

namespace LoraServe.Fuzz.Seeds;

/// <summary>Importance matrices.</summary>
internal static class ImportanceSeeds
{
    private const string Name = "blk.0.attn_q.weight";

    /// <summary>One in each form.</summary>
    public static IEnumerable<Seed> All()
    {
        using var folder = new TemporaryDirectory();
        Tensor[] tensors = [Tensor.FromFloats($"{Name}.in_sum2", [1, 2, 3, 4, 5, 6, 7, 8], 2, 4), Tensor.FromFloats($"{Name}.counts", [3, 0], 2, 1)];
        GgufWriter.Write(folder.File("imatrix.gguf"), [GgufEntry.Of("general.type", "imatrix"), GgufEntry.Of("imatrix.chunk_count", 3u)], [.. tensors.Select(ToWrite)]);
        yield return Seed.Of("gguf", "imatrix.gguf", File.ReadAllBytes(folder.File("imatrix.gguf")));
        using var content = new MemoryStream();
        using var writer = new BinaryWriter(content);
        writer.Write(1);
        writer.Write(Name.Length);
        writer.Write(Encoding.UTF8.GetBytes(Name));
        writer.Write(5);
        writer.Write(4);
        Array.ForEach([1f, 2f, 3f, 4f], writer.Write);
        yield return Seed.Of("dat", "imatrix.dat", content.ToArray());
    }

    private static TensorToWrite ToWrite(Tensor tensor) => new(tensor.Name, tensor.Type, tensor.Shape, stream => Array.ForEach(tensor.ToFloats(), value => stream.Write(BitConverter.GetBytes(value))));
}
