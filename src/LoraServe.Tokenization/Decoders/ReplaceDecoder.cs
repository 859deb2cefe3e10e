using System.Text;
using LoraServe.Tokenization.Patterns;

namespace LoraServe.Tokenization.Decoders;

/// <summary>Replaces every match of a pattern in a token.</summary>
internal sealed class ReplaceDecoder(Pattern pattern, string content) : DecoderStep
{
    public override IFragmentSink CreateStage(IFragmentSink next, DecodingContext context) =>
        new Stage(new PatternMatcher(pattern), content, context.IsFused, next);

    private sealed class Stage(PatternMatcher matcher, string content, bool isFused, IFragmentSink next) : IFragmentSink
    {
        private readonly StringBuilder _held = new();

        public void Accept(ReadOnlySpan<char> fragment, bool startsToken)
        {
            // A match may reach over the fragments of one token, and of a fused one the end is not known before all ends.
            if (isFused)
            {
                _held.Append(fragment);
            }
            else
            {
                next.Accept(Replace(fragment.ToString()), startsToken);
            }
        }

        public void Finish()
        {
            if (isFused)
            {
                next.Accept(Replace(_held.ToString()), startsToken: true);
            }

            next.Finish();
        }

        private string Replace(string text)
        {
            StringBuilder builder = new(text.Length);
            PatternScan scan = new(matcher, text);
            while (scan.MoveNext(out int start, out int end, out bool isMatch))
            {
                builder.Append(isMatch ? content.AsSpan() : text.AsSpan(start, end - start));
            }

            return builder.ToString();
        }
    }
}
