using System.Runtime.InteropServices;
using LoraServe.Compute.Files;
using LoraServe.Compute.Matrices;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Config;

namespace LoraServe.Models.Conversion;

/// <summary>Encodes tensors a stretch of rows at a time, several rows at once, and keeps count.</summary>
/// <param name="model">What messages call the model.</param>
/// <param name="options">The type and the importance of values.</param>
internal sealed class TensorEncoder(string model, ConversionOptions options)
{
    private const long StretchBytes = 16 << 20;

    private readonly Dictionary<string, (int Tensors, long Bytes)> _types = [];
    private readonly Dictionary<ElementType, List<string>> _fallbacks = [];
    private int _without;
    private int _crossing;
    private long _done;
    private long _total;

    /// <summary>What is not as one might expect.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>The tensors as a file gets them.</summary>
    public TensorToWrite[] Begin(IEnumerable<TensorToEncode> tensors)
    {
        TensorToEncode[] all = [.. tensors];
        _total = all.Sum(tensor => tensor.Stored.ElementCount);
        return [.. all.SelectMany(tensor => options.Nf4 && tensor.IsLayerMap ? ToNf4(tensor) : [ToWrite(tensor)])];
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

        if (_crossing > 0)
        {
            Notes.Add($"{_crossing} matrices have rows that are no whole blocks of {Nf4.DefaultBlockSize}: bitsandbytes' kernel for processors reads such rows wrongly; its others, and LoraServe, do not.");
        }

        return new ConversionReport(_types, Notes);
    }

    private TensorToWrite ToWrite(TensorToEncode tensor)
    {
        // Vectors are float32 in every file: so do llama.cpp's and most others' converters.
        ElementType type = tensor.IsMatrix ? TypeOf(tensor) : tensor.Stored.Shape.Length == 1 && !tensor.Stored.Type.IsInteger() ? ElementType.F32 : tensor.Stored.Type;
        Count(type.ToString(), type.ByteLength(tensor.Stored.ElementCount));
        float[]? importance = tensor.IsMatrix && type.BlockElements() > 1 ? ImportanceOf(tensor) : null;
        return new TensorToWrite(tensor.Name, type, tensor.Stored.Shape, stream =>
        {
            bool staysAsItIs = type == tensor.Stored.Type && tensor.Order.Length == 0 && type.BlockElements() > 1;
            if (tensor.Stored.Shape.Length == 1 || staysAsItIs || !ElementTypes.Encodable.Contains(type))
            {
                WriteVector(stream, tensor, type);
            }
            else
            {
                WriteRows(stream, new MatrixRows(model, tensor, options.Workers), type, importance);
            }

            Done(tensor.Stored.ElementCount);
        });
    }

    private IEnumerable<TensorToWrite> ToNf4(TensorToEncode tensor)
    {
        var parts = new Nf4Parts(tensor.Name, new MatrixRows(model, tensor, options.Workers), ImportanceOf(tensor), options.Type.TorchName());
        Count(ConversionOptions.Nf4Name, parts.ByteLength);
        _crossing += tensor.Stored.RowLength % Nf4.DefaultBlockSize == 0 ? 0 : 1;
        return parts.All().Select(part => part.Name != tensor.Name ? part : part with
        {
            WriteData = stream =>
            {
                part.WriteData(stream);
                Done(tensor.Stored.ElementCount);
            },
        });
    }

    private void Count(string type, long bytes)
    {
        (int tensors, long before) = _types.GetValueOrDefault(type);
        _types[type] = (tensors + 1, before + bytes);
    }

    private float[]? ImportanceOf(TensorToEncode tensor)
    {
        float[]? importance = options.Importance?.Find(tensor.GgufName, tensor.Stored, tensor.Expert);
        _without += importance is null ? 1 : 0;
        return importance;
    }

    private void Done(long elements)
    {
        _done += elements;
        options.Progress?.Report((double)_done / _total);
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

    private static void WriteRows(Stream stream, MatrixRows rows, ElementType type, float[]? importance)
    {
        int width = rows.Width;
        int rowBytes = checked((int)type.ByteLength(width));
        long rowsPerMatrix = importance is null ? rows.Count : rows.Count / (importance.Length / width);
        int stretch = (int)Math.Clamp(StretchBytes / rowBytes, 1, rows.Count);
        byte[] bytes = new byte[(long)stretch * rowBytes];
        for (long first = 0; first < rows.Count; first += stretch)
        {
            long begin = first;
            int count = (int)Math.Min(stretch, rows.Count - first);
            rows.Read(first, count, (i, values) =>
            {
                ReadOnlySpan<float> of = importance is null ? [] : importance.AsSpan((int)((begin + i) / rowsPerMatrix) * width, width);
                type.Encode(values, of, bytes.AsSpan(i * rowBytes, rowBytes));
            });
            stream.Write(bytes, 0, count * rowBytes);
        }
    }
}
