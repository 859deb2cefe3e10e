using System.Collections.Immutable;
using LoraServe.Compute.Tensors;

namespace LoraServe.Compute.Files;

/// <summary>A tensor that a file is to have, whose data is made when it is written.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">How its elements are stored.</param>
/// <param name="Shape">Extents, outermost first.</param>
/// <param name="WriteData">Writes <see cref="ByteLength"/> bytes.</param>
public sealed record TensorToWrite(string Name, ElementType Type, ImmutableArray<long> Shape, Action<Stream> WriteData)
{
    /// <summary>Size of the data.</summary>
    public long ByteLength => Type.ByteLength(Shape.Aggregate(1L, (product, extent) => checked(product * extent)));

    internal void WriteTo(Stream stream)
    {
        long start = stream.Position;
        WriteData(stream);
        if (stream.Position - start != ByteLength)
        {
            throw new InvalidOperationException($"'{Name}' wrote {stream.Position - start} bytes, not {ByteLength}");
        }
    }
}
