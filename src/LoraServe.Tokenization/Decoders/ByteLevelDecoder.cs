using System.Buffers;
using System.Text;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Decoders;

/// <summary>Reads tokens as bytes spelled as characters, and the bytes of all tokens as UTF-8.</summary>
internal sealed class ByteLevelDecoder : DecoderStep
{
    public override bool Fuses => true;

    /// <summary>The bytes of a token.</summary>
    /// <param name="token">The token as the vocabulary spells it.</param>
    /// <param name="bytes">Gets them; room for its UTF-8 at the longest.</param>
    /// <returns>How many there are.</returns>
    public static int GetBytes(ReadOnlySpan<char> token, Span<byte> bytes)
    {
        for (int i = 0; i < token.Length; i++)
        {
            int value = ByteCharacters.ByteOf(token[i]);
            if (value < 0)
            {
                // Not spelled in bytes: an added token with white space, for one. It stands for its own text.
                return Encoding.UTF8.GetBytes(token, bytes);
            }

            bytes[i] = (byte)value;
        }

        return token.Length;
    }

    public override bool IsByToken(bool isFused) => true;

    public override IFragmentSink CreateStage(IFragmentSink next, DecodingContext context) => new Stage(next);

    private sealed class Stage(IFragmentSink next) : IFragmentSink
    {
        private byte[] _bytes = new byte[64];
        private char[] _characters = new char[64];

        // The start of a character that is cut off stays at the front of the bytes until the rest comes.
        private int _held;
        private bool _isFirst = true;

        public void Accept(ReadOnlySpan<char> fragment, bool startsToken)
        {
            Add(fragment);
            PutOut(isEnd: false);
        }

        public void Finish()
        {
            PutOut(isEnd: true);
            next.Finish();
        }

        private void Add(ReadOnlySpan<char> token)
        {
            int most = _held + Encoding.UTF8.GetMaxByteCount(token.Length);
            if (_bytes.Length < most)
            {
                Array.Resize(ref _bytes, 2 * most);
            }

            _held += GetBytes(token, _bytes.AsSpan(_held));
        }

        private void PutOut(bool isEnd)
        {
            if (_characters.Length < _held)
            {
                _characters = new char[2 * _held];
            }

            ReadOnlySpan<byte> rest = _bytes.AsSpan(0, _held);
            int count = 0;
            while (rest.Length > 0)
            {
                OperationStatus status = Rune.DecodeFromUtf8(rest, out Rune rune, out int used);
                if (status == OperationStatus.NeedMoreData && !isEnd)
                {
                    break;
                }

                // What is no UTF-8 reads as U+FFFD.
                count += rune.EncodeToUtf16(_characters.AsSpan(count));
                rest = rest[used..];
            }

            rest.CopyTo(_bytes);
            _held = rest.Length;
            next.Accept(_characters.AsSpan(0, count), _isFirst);
            _isFirst = false;
        }
    }
}
