/* main's value is the status.
 *
 * @status 42
 */
int main(void)
{
	return 42;
}
