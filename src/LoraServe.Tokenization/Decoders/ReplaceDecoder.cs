using LoraServe.Tokenization.Patterns;

namespace LoraServe.Tokenization.Decoders;

/// <summary>Replaces every match of a pattern in a token.</summary>
internal sealed class ReplaceDecoder(Pattern pattern, string content) : DecoderStep
{
    public override IFragmentSink CreateStage(IFragmentSink next, DecodingContext context) =>
        new Stage(new PatternMatcher(pattern), content, context.IsFused, next);

    private sealed class Stage(PatternMatcher matcher, string content, bool isFused, IFragmentSink next) : IFragmentSink
    {
        private readonly TextSink _held = new();
        private readonly TextSink _replaced = new();

        public void Accept(ReadOnlySpan<char> fragment, bool startsToken)
        {
            // A match may reach over the fragments of one token, and of a fused one the end is not known before all ends.
            if (isFused)
            {
                _held.Accept(fragment, startsToken);
            }
            else
            {
                next.Accept(Replace(fragment), startsToken);
            }
        }

        public void Finish()
        {
            if (isFused)
            {
                next.Accept(Replace(_held.Text), startsToken: true);
            }

            next.Finish();
        }

        private ReadOnlySpan<char> Replace(ReadOnlySpan<char> text)
        {
            _replaced.Clear();
            PatternScan scan = new(matcher, text);
            while (scan.MoveNext(out int start, out int end, out bool isMatch))
            {
                _replaced.Accept(isMatch ? content : text[start..end], startsToken: false);
            }

            return _replaced.Text;
        }
    }
}
