using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace LoraServe.Tokenization.Decoders;

/// <summary>Reads tokens such as &lt;0xE2&gt; as bytes and a run of them as UTF-8; if the run is not UTF-8, each byte becomes U+FFFD.</summary>
internal sealed class ByteFallbackDecoder : DecoderStep
{
    /// <summary>Reads the name of a byte, such as &lt;0xE2&gt;.</summary>
    public static bool TryReadByte(ReadOnlySpan<char> token, out byte value)
    {
        value = 0;
        return token.Length == 6 && token.StartsWith("<0x") && token[5] == '>'
            && byte.TryParse(token[3..5], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    public override bool IsByToken(bool isFused) => !isFused;

    public override IFragmentSink CreateStage(IFragmentSink next, DecodingContext context) => new Stage(next, context.IsIncremental);

    private sealed class Stage(IFragmentSink next, bool isIncremental) : IFragmentSink
    {
        private readonly List<byte> _run = [];
        private char[] _characters = new char[16];

        public void Accept(ReadOnlySpan<char> fragment, bool startsToken)
        {
            if (TryReadByte(fragment, out byte value))
            {
                _run.Add(value);
                if (isIncremental)
                {
                    TryPutOutText();
                }

                return;
            }

            EndRun();
            next.Accept(fragment, startsToken);
        }

        public void Finish()
        {
            EndRun();
            next.Finish();
        }

        private void EndRun()
        {
            if (!TryPutOutText())
            {
                for (int i = 0; i < _run.Count; i++)
                {
                    next.Accept("\uFFFD", startsToken: true);
                }

                _run.Clear();
            }
        }

        private bool TryPutOutText()
        {
            ReadOnlySpan<byte> bytes = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_run);
            if (!Utf8.IsValid(bytes))
            {
                return false;
            }

            if (bytes.Length > 0)
            {
                if (_characters.Length < bytes.Length)
                {
                    _characters = new char[2 * bytes.Length];
                }

                next.Accept(_characters.AsSpan(0, Encoding.UTF8.GetChars(bytes, _characters)), startsToken: true);
                _run.Clear();
            }

            return true;
        }
    }
}
