using System.Text;

namespace Grpc.Core;

public sealed partial class Metadata
{
    /// <summary>One key with its value.</summary>
    public sealed class Entry
    {
        private readonly string? _text;
        private readonly byte[]? _bytes;

        /// <summary>Creates a text entry.</summary>
        /// <exception cref="ArgumentException">The key or the value has characters that a header cannot carry.</exception>
        public Entry(string key, string value)
        {
            ArgumentNullException.ThrowIfNull(value);
            Key = NormalizeKey(key, binary: false);
            if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            {
                throw new ArgumentException($"Metadata '{Key}' has a character outside printable ASCII; send bytes under a key that ends in '-bin'.", nameof(value));
            }

            _text = value;
        }

        /// <summary>Creates a binary entry.</summary>
        /// <exception cref="ArgumentException">The key does not end in "-bin" or has characters that a header cannot carry.</exception>
        public Entry(string key, byte[] valueBytes)
        {
            ArgumentNullException.ThrowIfNull(valueBytes);
            Key = NormalizeKey(key, binary: true);
            _bytes = [.. valueBytes];
        }

        private Entry(string key, string? text, byte[]? bytes)
        {
            Key = key;
            _text = text;
            _bytes = bytes;
        }

        /// <summary>The key, in lower case.</summary>
        public string Key { get; }

        /// <summary>Whether the value is bytes.</summary>
        public bool IsBinary => _bytes is not null;

        /// <summary>The text of a text entry.</summary>
        /// <exception cref="InvalidOperationException">The entry is binary.</exception>
        public string Value => _text ?? throw new InvalidOperationException($"Metadata '{Key}' is binary; read ValueBytes.");

        /// <summary>The bytes of the value; of a text entry, its ASCII.</summary>
        public byte[] ValueBytes => _bytes is null ? Encoding.ASCII.GetBytes(_text!) : [.. _bytes];

        /// <inheritdoc/>
        public override string ToString() =>
            IsBinary ? $"[Entry: key={Key}, {_bytes!.Length} bytes]" : $"[Entry: key={Key}, value={_text}]";

        /// <summary>An entry as a peer sent it, whose value need not be one that we would send.</summary>
        internal static Entry Received(string key, string value) => new(key, value, null);

        /// <summary>A binary entry as a peer sent it; takes the array over.</summary>
        internal static Entry Received(string key, byte[] value) => new(key, null, value);

        private static string NormalizeKey(string key, bool binary)
        {
            ArgumentException.ThrowIfNullOrEmpty(key);
            string lower = key.ToLowerInvariant();
            foreach (char c in lower)
            {
                if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '_' or '-' or '.'))
                {
                    throw new ArgumentException($"Metadata key '{key}' may only have letters, digits, '_', '-' and '.'.", nameof(key));
                }
            }

            if (lower.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal) != binary)
            {
                throw new ArgumentException(
                    binary ? $"Metadata key '{key}' needs the suffix '-bin', since its value is bytes." : $"Metadata key '{key}' ends in '-bin', so its value must be bytes.",
                    nameof(key));
            }

            return lower;
        }
    }
}
