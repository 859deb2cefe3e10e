using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Config;

namespace LoraServe.Models.Conversion;

/// <summary>Encodes tensors a stretch of rows at a time, several rows at once, and keeps count.</summary>
/// <param name="model">What messages call the model.</param>
/// <param name="options">The type and the importance of values.</param>
internal sealed class TensorEncoder(string model, ConversionOptions options)
{
    private const long StretchBytes = 16 << 20;

    private readonly Dictionary<ElementType, (int Tensors, long Bytes)> _types = [];
    private readonly Dictionary<ElementType, List<string>> _fallbacks = [];
    private int _without;
    private long _done;
    private long _total;

    /// <summary>What is not as one might expect.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>The tensors as a file gets them.</summary>
    public TensorToWrite[] Begin(IEnumerable<TensorToEncode> tensors)
    {
        TensorToEncode[] all = [.. tensors];
        _total = all.Sum(tensor => tensor.Stored.ElementCount);
        return [.. all.Select(ToWrite)];
    }

    /// <summary>What was written.</summary>
    public ConversionReport Report()
    {
        foreach ((ElementType type, List<string> names) in _fallbacks)
        {
            string elements = $"{options.Type.BlockElements()}";
            Notes.Add($"{names.Count} tensors are {type}, since their rows are no whole blocks of {elements}: {string.Join(", ", names.Take(3))}{(names.Count > 3 ? ", …" : "")}.");
        }

        if (options.Importance is { } importance && _without > 0)
        {
            Notes.Add($"{importance.Path} has no values for {_without} matrices; in these all inputs count alike.");
        }

        return new ConversionReport(_types, Notes);
    }

    private TensorToWrite ToWrite(TensorToEncode tensor)
    {
        // Vectors are float32 in every file: so do llama.cpp's and most others' converters.
        ElementType type = tensor.IsMatrix ? TypeOf(tensor) : tensor.Stored.Shape.Length == 1 && !tensor.Stored.Type.IsInteger() ? ElementType.F32 : tensor.Stored.Type;
        (int count, long bytes) = _types.GetValueOrDefault(type);
        _types[type] = (count + 1, bytes + type.ByteLength(tensor.Stored.ElementCount));
        float[]? importance = null;
        if (tensor.IsMatrix && type.BlockElements() > 1)
        {
            importance = options.Importance?.Find(tensor.Name, tensor.Stored);
            _without += importance is null ? 1 : 0;
        }

        return new TensorToWrite(tensor.Name, type, tensor.Stored.Shape, stream =>
        {
            bool staysAsItIs = type == tensor.Stored.Type && tensor.Order.Length == 0 && type.BlockElements() > 1;
            if (tensor.Stored.Shape.Length == 1 || staysAsItIs || !ElementTypes.Encodable.Contains(type))
            {
                WriteVector(stream, tensor, type);
            }
            else
            {
                WriteRows(stream, tensor, type, importance);
            }

            _done += tensor.Stored.ElementCount;
            options.Progress?.Report((double)_done / _total);
        });
    }

    private ElementType TypeOf(TensorToEncode tensor)
    {
        if (tensor.Stored.RowLength % options.Type.BlockElements() == 0)
        {
            return options.Type;
        }

        ElementType type = tensor.Stored.RowLength % ElementType.Q8_0.BlockElements() == 0 ? ElementType.Q8_0 : ElementType.F16;
        if (!_fallbacks.TryGetValue(type, out List<string>? names))
        {
            _fallbacks[type] = names = [];
        }

        names.Add(tensor.Name);
        return type;
    }

    private static unsafe void WriteVector(Stream stream, TensorToEncode tensor, ElementType type)
    {
        if (type != ElementType.F32)
        {
            byte* data = (byte*)tensor.Stored.Data;
            for (long at = 0; at < tensor.Stored.ByteLength; at += StretchBytes)
            {
                stream.Write(new ReadOnlySpan<byte>(data + at, (int)Math.Min(StretchBytes, tensor.Stored.ByteLength - at)));
            }

            return;
        }

        float[] values = tensor.Stored.ToFloats();
        float[] ordered = tensor.Order.Length == 0 ? values : Array.ConvertAll(tensor.Order, element => values[element]);
        stream.Write(MemoryMarshal.AsBytes(ordered.AsSpan()));
    }

    private void WriteRows(Stream stream, TensorToEncode tensor, ElementType type, float[]? importance)
    {
        int width = checked((int)tensor.Stored.RowLength);
        int rowBytes = checked((int)type.ByteLength(width));
        long rows = tensor.Stored.RowCount;
        long rowsPerMatrix = importance is null ? rows : rows / (importance.Length / width);
        int stretch = (int)Math.Clamp(StretchBytes / rowBytes, 1, rows);
        byte[] bytes = new byte[(long)stretch * rowBytes];
        for (long first = 0; first < rows; first += stretch)
        {
            int count = (int)Math.Min(stretch, rows - first);
            ForEach(count, width, (i, values) =>
            {
                long row = first + i;
                tensor.Stored.CopyRow(tensor.Order.Length == 0 ? row : tensor.Order[row], values);
                ReadOnlySpan<float> of = importance is null ? [] : importance.AsSpan((int)(row / rowsPerMatrix) * width, width);
                Span<byte> destination = bytes.AsSpan(i * rowBytes, rowBytes);
                Check(tensor, row, values);
                type.Encode(values, of, destination);
            });
            stream.Write(bytes, 0, count * rowBytes);
        }
    }

    /// <summary>Runs rows on several threads; of what they refuse the first is thrown as it was.</summary>
    private void ForEach(int count, int width, Action<int, float[]> encode)
    {
        try
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = options.Workers }, () => new float[width], (i, _, values) =>
            {
                encode(i, values);
                return values;
            }, _ => { });
        }
        catch (AggregateException several) when (several.InnerExceptions[0] is ModelFormatException)
        {
            ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }
    }

    private void Check(TensorToEncode tensor, long row, float[] values)
    {
        int bad = Array.FindIndex(values, value => !float.IsFinite(value));
        if (bad >= 0)
        {
            throw new ModelFormatException(model, FormattableString.Invariant($"tensor {tensor.Stored} has {values[bad]} in row {row}, column {bad}; expected finite numbers"));
        }
    }
}
