using Microsoft.Win32.SafeHandles;

namespace LoraServe.Training.Data;

/// <summary>A struct in Thrift's compact protocol, passed over without taking more memory than a block of the file: whoever reads it in earnest believes its lengths.</summary>
/// <param name="file">The file.</param>
/// <param name="path">Its path, for messages.</param>
/// <param name="position">Where the struct begins.</param>
/// <param name="end">What it lies before.</param>
internal sealed class CompactStruct(SafeFileHandle file, string path, long position, long end)
{
    private const int MostDepth = 16;

    private readonly Dictionary<int, long> _integers = [];
    private readonly byte[] _block = new byte[256];
    private long _blockStart;
    private int _blockLength;

    /// <summary>Where the next byte is.</summary>
    public long Position { get; private set; } = position;

    /// <summary>Passes over it.</summary>
    /// <exception cref="TrainingDataException">It does not end before what it lies before.</exception>
    public CompactStruct Read()
    {
        ReadStruct(depth: 0);
        return this;
    }

    /// <summary>An integer of its own fields; null where it has none of that number.</summary>
    public long? Integer(int field) => _integers.TryGetValue(field, out long value) ? value : null;

    // Each field begins with the difference to the last one's number in the high half of a byte and its type in the low one.
    private void ReadStruct(int depth)
    {
        int field = 0;
        for (int begin = Byte(); begin != 0; begin = Byte())
        {
            field = begin >> 4 == 0 ? (int)ZigZag() : field + (begin >> 4);
            if (depth == 0 && (begin & 15) is 4 or 5 or 6)
            {
                _integers[field] = ZigZag();
            }
            else
            {
                Pass(begin & 15, depth);
            }
        }
    }

    private void Pass(int type, int depth)
    {
        switch (type)
        {
            case 1 or 2: // true, false
                break;
            case 3: // a byte
                Byte();
                break;
            case 4 or 5 or 6: // integers
                ZigZag();
                break;
            case 7: // a double
                Skip(sizeof(double));
                break;
            case 8: // bytes
                Skip((long)Variable());
                break;
            case 9 or 10 when depth < MostDepth: // a list, a set
                PassList(depth + 1);
                break;
            case 12 when depth < MostDepth:
                ReadStruct(depth + 1);
                break;
            default:
                throw Damaged();
        }
    }

    private void PassList(int depth)
    {
        int begin = Byte();
        long count = begin >> 4 == 15 ? (long)Variable() : begin >> 4;
        int type = begin & 15;
        for (long i = 0; i < count; i++)
        {
            // In a list a truth is a byte of its own.
            Pass(type is 1 or 2 ? 3 : type, depth);
        }
    }

    private long ZigZag()
    {
        ulong value = Variable();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    private ulong Variable()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            int next = Byte();
            value |= (ulong)(next & 127) << shift;
            if (next < 128)
            {
                return value;
            }
        }

        throw Damaged();
    }

    private void Skip(long count)
    {
        if (count < 0 || count > end - Position)
        {
            throw Damaged();
        }

        Position += count;
    }

    private int Byte()
    {
        if (Position >= end)
        {
            throw Damaged();
        }

        if (Position < _blockStart || Position >= _blockStart + _blockLength)
        {
            _blockStart = Position;
            _blockLength = RandomAccess.Read(file, _block, Position);
            if (_blockLength == 0)
            {
                throw Damaged();
            }
        }

        return _block[Position++ - _blockStart];
    }

    private TrainingDataException Damaged() => new(path, $"what describes it is longer than itself (at byte {Position}). The file is damaged.");
}
