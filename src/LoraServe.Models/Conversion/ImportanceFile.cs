using System.Buffers.Binary;
using System.Text;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Config;

namespace LoraServe.Models.Conversion;

/// <summary>How much each input of each matrix matters: the mean squares of its activations, as llama.cpp's imatrix tool collects them.</summary>
public sealed class ImportanceFile
{
    private const string SumsSuffix = ".in_sum2";
    private const string CountsSuffix = ".counts";
    private const int MostEntries = 1 << 20;
    private const int MostNameBytes = 1024;

    private readonly Dictionary<string, float[]> _values;

    private ImportanceFile(string path, Dictionary<string, float[]> values)
    {
        Path = path;
        _values = values;
    }

    /// <summary>The file, as the caller named it.</summary>
    public string Path { get; }

    /// <summary>GGUF's names of the tensors that it has values for.</summary>
    public IReadOnlyCollection<string> Names => _values.Keys;

    /// <summary>Reads an imatrix in GGUF, or in the older form that is by convention called <c>.dat</c>.</summary>
    /// <exception cref="ModelFormatException">It is missing, or neither.</exception>
    /// <exception cref="TensorFileException">It is a damaged GGUF file.</exception>
    public static ImportanceFile Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new ModelFormatException(path, "no such file; expected an importance matrix of llama.cpp, in GGUF or the older .dat");
        }

        Span<byte> magic = stackalloc byte[4];
        using (FileStream file = File.OpenRead(path))
        {
            file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        }

        Dictionary<string, float[]> values = magic.SequenceEqual("GGUF"u8) ? ReadGguf(path) : ReadDat(path);
        return values.Count > 0 ? new ImportanceFile(path, values) : throw new ModelFormatException(path, "has values for no tensor; expected an importance matrix of llama.cpp");
    }

    /// <summary>The importance of each input of a tensor, one matrix after another; null where the file has none.</summary>
    /// <param name="name">GGUF's name of the tensor.</param>
    /// <param name="tensor">The tensor, whose rows it must fit.</param>
    /// <param name="expert">Which of the matrices of GGUF's tensor it is; −1: all of them.</param>
    /// <exception cref="ModelFormatException">It has as many values as no tensor of that shape needs.</exception>
    internal float[]? Find(string name, Tensor tensor, int expert = -1)
    {
        if (!_values.TryGetValue(name, out float[]? values))
        {
            return null;
        }

        if (expert >= 0)
        {
            int width = checked((int)tensor.RowLength);
            return values.Length % width == 0 && values.Length / width > expert
                ? values[(expert * width)..((expert + 1) * width)]
                : throw new ModelFormatException(Path, $"has {values.Length} values for '{name}'; expected {width} for each expert, as the model has: it was made for another model");
        }

        long matrices = tensor.Shape.Length > 2 ? tensor.ElementCount / tensor.Shape[^1] / tensor.Shape[^2] : 1;
        return values.LongLength == tensor.RowLength * matrices
            ? values
            : throw new ModelFormatException(Path, $"has {values.Length} values for '{name}'; expected {tensor.RowLength * matrices}, as the model has: it was made for another model");
    }

    private static Dictionary<string, float[]> ReadGguf(string path)
    {
        var values = new Dictionary<string, float[]>(StringComparer.Ordinal);
        using GgufFile file = GgufFile.Open(path);
        foreach ((string key, Tensor sums) in file.Tensors.Where(tensor => tensor.Key.EndsWith(SumsSuffix, StringComparison.Ordinal)))
        {
            string name = key[..^SumsSuffix.Length];
            float[] counts = file.GetTensor(name + CountsSuffix).ToFloats();
            float[] of = sums.ToFloats();
            if (counts.Length == 0 || of.Length % counts.Length != 0)
            {
                throw new ModelFormatException(path, $"tensor {sums} has {counts.Length} counts; expected one for each matrix");
            }

            int width = of.Length / counts.Length;
            for (int i = 0; i < of.Length; i++)
            {
                // An expert that no token went to says nothing of its inputs.
                float count = counts[i / width];
                of[i] = count > 0 ? of[i] / count : 1;
            }

            values.Add(name, Checked(path, name, of));
        }

        return values;
    }

    // The number of entries; of each the name's length and the name, the number of calls, of values, and the values times the calls.
    private static Dictionary<string, float[]> ReadDat(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        int at = 0;
        var values = new Dictionary<string, float[]>(StringComparer.Ordinal);
        int entries = Integer(MostEntries, "the number of entries");
        for (int entry = 0; entry < entries; entry++)
        {
            int length = Integer(MostNameBytes, "the length of a name");
            string name = Encoding.UTF8.GetString(Take(length));
            int calls = Integer(int.MaxValue, $"the number of calls of '{name}'");
            int count = Integer((bytes.Length - at) / sizeof(float), $"the number of values of '{name}'");
            ReadOnlySpan<byte> stored = Take(count * sizeof(float));
            float[] of = new float[count];
            for (int i = 0; i < count; i++)
            {
                of[i] = BinaryPrimitives.ReadSingleLittleEndian(stored[(i * sizeof(float))..]) / Math.Max(calls, 1);
            }

            values[name] = Checked(path, name, of);
        }

        return values;

        int Integer(int most, string what)
        {
            int value = BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int)));
            return value >= 0 && value <= most ? value : throw new ModelFormatException(path, $"{what} is {value}; expected 0 to {most}: it is no importance matrix of llama.cpp, or damaged");
        }

        ReadOnlySpan<byte> Take(int count)
        {
            if (count > bytes.Length - at)
            {
                throw new ModelFormatException(path, $"ends at byte {bytes.Length}, where {count - (bytes.Length - at)} bytes more should be: it is no importance matrix of llama.cpp, or cut off");
            }

            at += count;
            return bytes.AsSpan(at - count, count);
        }
    }

    private static float[] Checked(string path, string name, float[] values)
    {
        int bad = Array.FindIndex(values, value => !float.IsFinite(value) || value < 0);
        return bad < 0 ? values : throw new ModelFormatException(path, FormattableString.Invariant($"value {bad} of '{name}' is {values[bad]}; expected a finite number of at least 0"));
    }
}
