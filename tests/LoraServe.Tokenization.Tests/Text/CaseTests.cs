using LoraServe.Tokenization.Text;

namespace LoraServe.Tokenization.Tests.Text;

public class CaseTests
{
    [Theory]
    [InlineData('K', 'k')]
    [InlineData('\u212A', 'k')]
    [InlineData('\u212B', '\u00E5')]
    [InlineData('Σ', 'σ')]
    [InlineData('1', '1')]
    public void ToLower_CodePoint_GivesUnicodesSimpleMapping(char character, char expected) => Assert.Equal(expected, Case.ToLower(character));

    [Theory]
    [InlineData('\u017F', 'S')]
    [InlineData('ß', 'ß')]
    public void ToUpper_CodePoint_GivesUnicodesSimpleMapping(char character, char expected) => Assert.Equal(expected, Case.ToUpper(character));
}
