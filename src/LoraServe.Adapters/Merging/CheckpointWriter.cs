using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Files;

namespace LoraServe.Adapters.Merging;

/// <summary>Writes a base model's weights as one safetensors file, float32 under Hugging Face's names, holding one row in memory at a time.</summary>
public static class CheckpointWriter
{
    private const int Alignment = 8;

    /// <summary>Writes the file whole or not at all.</summary>
    /// <param name="path">The file, by convention <c>model.safetensors</c>.</param>
    /// <param name="model">Where the weights come from: for a merge, a <see cref="MergedModel"/>.</param>
    /// <param name="progress">Told after each parameter which part of the bytes is written, 0 to 1.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IBaseModel model, IProgress<double>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(model);
        Parameter[] parameters = [.. Parameters(model)];
        AtomicFile.Write(path, file =>
        {
            WriteHeader(file, parameters);
            long total = parameters.Sum(parameter => parameter.ByteLength);
            long written = 0;
            foreach (Parameter parameter in parameters)
            {
                WriteRows(file, parameter);
                written += parameter.ByteLength;
                progress?.Report((double)written / total);
            }
        });
    }

    private static IEnumerable<Parameter> Parameters(IBaseModel model)
    {
        foreach (BaseModule module in model.Modules.Where(module => module.Site != Site.Head || !model.TiedHead))
        {
            yield return module.IsTransposed
                ? Transposed(model, module)
                : new Parameter($"{module.Path}.weight", module.Outputs, module.Inputs, (row, values) => model.CopyWeightRow(module.Site, row, values));
            if (module.HasBias)
            {
                yield return new Parameter($"{module.Path}.bias", null, module.Outputs, (_, values) => model.CopyBias(module.Site, values));
            }
        }

        foreach (BaseNorm norm in model.Norms)
        {
            yield return new Parameter($"{norm.Path}.weight", null, norm.Width, (_, values) => model.Parameters(norm).AsSpan(0, norm.Width).CopyTo(values));
            if (norm.HasBias)
            {
                yield return new Parameter($"{norm.Path}.bias", null, norm.Width, (_, values) => model.Parameters(norm).AsSpan(norm.Width).CopyTo(values));
            }
        }
    }

    /// <summary>A weight as [inputs, outputs]: read whole, since each of its rows there has an element of each row here.</summary>
    private static Parameter Transposed(IBaseModel model, BaseModule module)
    {
        var weight = new Lazy<FloatMatrix>(() => model.Weight(module).Transposed());
        return new Parameter($"{module.Path}.weight", module.Inputs, module.Outputs, (row, values) => weight.Value.Row(row).CopyTo(values));
    }

    private static void WriteHeader(Stream file, Parameter[] parameters)
    {
        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("format", "pt");
            json.WriteEndObject();
            long offset = 0;
            foreach (Parameter parameter in parameters)
            {
                json.WriteStartObject(parameter.Name);
                json.WriteString("dtype", "F32");
                json.WriteStartArray("shape");
                if (parameter.Rows is { } rows)
                {
                    json.WriteNumberValue(rows);
                }

                json.WriteNumberValue(parameter.Width);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += parameter.ByteLength);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        // Spaces after the header align the data.
        while (header.Length % Alignment != 0)
        {
            header.WriteByte((byte)' ');
        }

        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        file.Write(length);
        file.Write(header.GetBuffer().AsSpan(0, (int)header.Length));
    }

    private static void WriteRows(Stream file, Parameter parameter)
    {
        float[] row = new float[parameter.Width];
        for (int index = 0; index < (parameter.Rows ?? 1); index++)
        {
            parameter.CopyRow(index, row);
            file.Write(MemoryMarshal.AsBytes(row.AsSpan()));
        }
    }

    private delegate void RowReader(int row, Span<float> values);

    private sealed record Parameter(string Name, int? Rows, int Width, RowReader CopyRow)
    {
        public long ByteLength => (long)(Rows ?? 1) * Width * sizeof(float);
    }
}
