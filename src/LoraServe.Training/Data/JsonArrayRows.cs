using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace LoraServe.Training.Data;

/// <summary>Finds the elements of a JSON array in a file, without keeping more of it than an element.</summary>
internal static class JsonArrayRows
{
    private const int BlockBytes = 1 << 20;

    /// <summary>The elements: where each begins, its bytes, and the line where it begins.</summary>
    /// <param name="handle">The file.</param>
    /// <param name="path">What errors call it.</param>
    /// <param name="longest">Bytes that an element can have.</param>
    /// <exception cref="TrainingDataException">It is no JSON array, or an element is too long.</exception>
    public static IEnumerable<(long Start, int Length, int Line)> Find(SafeFileHandle handle, string path, int longest)
    {
        var found = new List<(long, int, int)>();
        byte[] buffer = new byte[BlockBytes];
        var state = new JsonReaderState(new JsonReaderOptions { MaxDepth = 256 });
        (long position, int held, int line, long counted, long start) = (0, 0, 1, 0, -1);
        bool isFirst = true;
        while (true)
        {
            int count = RandomAccess.Read(handle, buffer.AsSpan(held), position + held);
            bool isLast = count == 0;
            held += count;
            int skipped = isFirst && buffer.AsSpan(0, held).StartsWith("\uFEFF"u8) ? 3 : 0;
            isFirst = false;
            var reader = new Utf8JsonReader(buffer.AsSpan(skipped, held - skipped), isLast, state);
            try
            {
                while (reader.Read())
                {
                    long at = position + skipped + reader.TokenStartIndex;
                    bool begins = reader.CurrentDepth == 1 && reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray);
                    if (begins)
                    {
                        line += buffer.AsSpan((int)(counted - position), (int)(at - counted)).Count((byte)'\n');
                        counted = at;
                        start = at;
                    }

                    bool ends = reader.CurrentDepth == 1 && reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray);
                    if (ends && start >= 0)
                    {
                        found.Add((start, Length(position + skipped + reader.BytesConsumed), line));
                        start = -1;
                    }
                }
            }
            catch (JsonException exception)
            {
                throw new TrainingDataException(path, line, $"not a JSON array: {exception.Message.Split(". LineNumber")[0]}. Each element must be one JSON object.", exception);
            }

            if (isLast)
            {
                return found;
            }

            if (start >= 0)
            {
                Length(position + held); // too long already, maybe
            }

            state = reader.CurrentState;
            int consumed = skipped + (int)reader.BytesConsumed;
            line += buffer.AsSpan((int)(counted - position), (int)(position + consumed - counted)).Count((byte)'\n');
            position += consumed;
            counted = position;
            held -= consumed;
            buffer.AsSpan(consumed, held).CopyTo(buffer);
            if (held == buffer.Length)
            {
                // A token longer than the block.
                Array.Resize(ref buffer, buffer.Length <= longest ? buffer.Length * 2 : throw TooLong());
            }

            int Length(long end) => end - start <= longest ? (int)(end - start) : throw TooLong();
        }

        TrainingDataException TooLong() => new(path, line, $"longer than {longest >> 20} MiB. Each element must be one JSON object.");
    }
}
