using System.Text;
using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Decoders;

/// <summary>Reads tokens as bytes spelled as characters, and the bytes of all tokens as UTF-8.</summary>
internal sealed class ByteLevelDecoder : DecoderStep
{
    public override bool Fuses => true;

    public override IFragmentSink CreateStage(IFragmentSink next, DecodingContext context) => new Stage(next);

    private sealed class Stage(IFragmentSink next) : IFragmentSink
    {
        // Keeps the start of a character that is cut off until the rest comes.
        private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
        private byte[] _bytes = new byte[64];
        private char[] _characters = new char[64];
        private bool _isFirst = true;

        public void Accept(ReadOnlySpan<char> fragment, bool startsToken) => Decode(ReadBytes(fragment), flush: false);

        public void Finish()
        {
            Decode([], flush: true);
            next.Finish();
        }

        private ReadOnlySpan<byte> ReadBytes(ReadOnlySpan<char> token)
        {
            int most = Encoding.UTF8.GetMaxByteCount(token.Length);
            if (_bytes.Length < most)
            {
                _bytes = new byte[2 * most];
            }

            for (int i = 0; i < token.Length; i++)
            {
                int value = ByteCharacters.ByteOf(token[i]);
                if (value < 0)
                {
                    // Not spelled in bytes: an added token with white space, for one. It stands for its own text.
                    return _bytes.AsSpan(0, Encoding.UTF8.GetBytes(token, _bytes));
                }

                _bytes[i] = (byte)value;
            }

            return _bytes.AsSpan(0, token.Length);
        }

        private void Decode(ReadOnlySpan<byte> bytes, bool flush)
        {
            int most = Encoding.UTF8.GetMaxCharCount(bytes.Length);
            if (_characters.Length < most)
            {
                _characters = new char[2 * most];
            }

            int count = _utf8.GetChars(bytes, _characters, flush);
            next.Accept(_characters.AsSpan(0, count), _isFirst);
            _isFirst = false;
        }
    }
}
